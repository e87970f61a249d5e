// oclif writes with console.log; jest's own console would bypass the capture of @oclif/test.
import nodeConsole from 'node:console'

globalThis.console = nodeConsole

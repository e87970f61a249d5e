#!/usr/bin/env node
import { start } from '../dist/app/cli/start.js'

await start(import.meta.url)

import { nearest } from '../domain/nearest.js'

/**
 * What to type where no command was found.
 * @param words the command line up to its first flag
 * @param ids all commands, as `rotate:start`
 */
export const suggestCommands = (words: readonly string[], ids: readonly string[]): readonly string[] => {
  const names = ids.map((id) => id.replaceAll(':', ' '))
  const [topic = '', typed = ''] = words
  const inTopic = names.filter((name) => name.startsWith(`${topic} `)).map((name) => name.slice(topic.length + 1))
  if (inTopic.length > 0) {
    const near = nearest(typed, inTopic).map((name) => `did you mean lockstep ${topic} ${name}?`)
    return [...near, `lockstep ${topic} --help`]
  }
  const near = nearest(words.slice(0, 2).join(' '), names).map((name) => `did you mean lockstep ${name}?`)
  return [...near, 'lockstep --help']
}

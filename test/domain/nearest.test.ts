import { describe, expect, test } from '@jest/globals'
import { editDistance, nearest } from '../../src/domain/nearest.js'

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['', 'abc', 3],
    ['us-esat-1', 'us-east-1', 1],
    ['eu-wst-1', 'eu-west-1', 1],
    ['kitten', 'sitting', 3],
  ])('%j to %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
    expect(editDistance(b, a)).toBe(distance)
  })
})

test('nearest leaves out what no typing mistake explains', () => {
  expect(nearest('us-esat-1', ['eu-central-1', 'us-east-2', 'us-east-1'])).toEqual(['us-east-1', 'us-east-2'])
  expect(nearest('mars', ['us-east-1'])).toEqual([])
})

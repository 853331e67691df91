-- SPDX-License-Identifier: Apache-2.0
-- Take bits of a bitmap, in one command. One that is not there is not made, for it would be one of
-- which nothing is taken; nor does it grow. A bit that is taken now is written, so that WAIT has
-- something to count. Words that become numbers cost more than all else: so only the greatest bit is
-- looked at, and the others where it is none of the bitmap's.
-- KEYS[1] bitmap, ARGV the greatest bit, then the bits.  a text with a letter for each: 1 taken now ·
-- 0 before · - no such bit; or -1: there is no bitmap
local size = redis.pcall('STRLEN', KEYS[1])
if type(size) == 'table' then return size end
if size == 0 then return -1 end
local all = tonumber(ARGV[1]) < size * 8
local letters, places, steps, last = {}, {}, {}, 0
for at = 2, #ARGV do
  letters[at - 1] = '-'
  if all or tonumber(ARGV[at]) < size * 8 then
    places[#places + 1] = at - 1
    steps[last + 1], steps[last + 2], steps[last + 3], steps[last + 4] = 'SET', 'u1', ARGV[at], '1'
    last = last + 4
  end
end
if last > 0 then
  local before = redis.pcall('BITFIELD', KEYS[1], unpack(steps))
  if before.err then return before end
  for i, place in ipairs(places) do letters[place] = before[i] == 0 and '1' or '0' end
end
return table.concat(letters)

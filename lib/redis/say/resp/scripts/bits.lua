-- SPDX-License-Identifier: Apache-2.0
-- Take bits of a bitmap. One that is not there is not made, for it would be one of which nothing is
-- taken; nor does it grow. A bit that is taken now is written, so that WAIT has something to count.
-- KEYS[1] bitmap, ARGV the bits.  a text with a letter for each: 1 taken now · 0 before · - no such
-- bit; or -1: there is no bitmap
local size = redis.pcall('STRLEN', KEYS[1])
if type(size) == 'table' then return size end
if size == 0 then return -1 end
for at = 1, #ARGV do
  if tonumber(ARGV[at]) >= size * 8 then
    ARGV[at] = '-'
  else
    local before = redis.pcall('SETBIT', KEYS[1], ARGV[at], 1)
    if type(before) == 'table' then return before end
    ARGV[at] = before == 0 and '1' or '0'
  end
end
return table.concat(ARGV)

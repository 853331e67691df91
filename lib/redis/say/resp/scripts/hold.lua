-- SPDX-License-Identifier: Apache-2.0
-- After SET NX was refused: does this owner hold the key? All in one step, so that the key cannot
-- pass to another owner between the comparison and the extension. It may have become free
-- meanwhile: then it is taken here, for asking SET again could miss it again and again.
-- A yes always writes, if only the time that it has anyway: WAIT counts what this connection wrote,
-- and a connection that wrote nothing is told at once that every replica has it.
-- Behind the owner the value may name the group that it is counted for (share.lua).
-- KEYS[1] reservation, ARGV owner, ttl in ms.  1 ours · 0 another's
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then return held end
if not held then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
if string.sub(held, 1, 16) ~= ARGV[1] then return 0 end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('SET', KEYS[1], held)
else
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(left, tonumber(ARGV[2]))))
end
return 1

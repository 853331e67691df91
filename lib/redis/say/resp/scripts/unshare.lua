-- SPDX-License-Identifier: Apache-2.0
-- Release, and give the place in the share back, in one step.
-- KEYS[1] reservation, KEYS[2] share (may be left out), ARGV owner, member, group ("" without a share).
-- 1 deleted · 0 another's · -1 free · a text: ours, and counted for that group; nothing was done
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then return held end
if not held then return -1 end
if string.sub(held, 1, 16) ~= ARGV[1] then return 0 end
local group = string.sub(held, 17)
if group ~= '' and group ~= ARGV[3] then return group end
if group ~= '' then
  local removed = redis.pcall('ZREM', KEYS[2], ARGV[2])
  if type(removed) == 'table' then return removed end
end
redis.call('DEL', KEYS[1])
return 1

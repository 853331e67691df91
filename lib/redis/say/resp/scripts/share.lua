-- SPDX-License-Identifier: Apache-2.0
-- Reserve within the share of a group: SET NX, and hold.lua where that is refused, in one step with
-- the count, so that no two get the last place. Time is the server's own, as for its own ends. Whoever
-- has his reservation already is not refused, and not counted again: a member has one place. What
-- has ended is not counted; each that is added takes up to eight of it out, so that the set never
-- grows beyond the share, and nobody waits for a long one.
-- KEYS[1] reservation, KEYS[2] share, ARGV owner, ttl in ms, member, group, most.
-- 1 ours · 0 another's · -1 the share is used up · a text: ours, and counted for that group
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then return held end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local ttl = tonumber(ARGV[2])
if held then
  if string.sub(held, 1, 16) ~= ARGV[1] then return 0 end
  local group = string.sub(held, 17)
  if group ~= '' and group ~= ARGV[4] then return group end
  local left = redis.call('PTTL', KEYS[1])
  ttl = math.max(left, ttl)
  if left < 0 then
    redis.call('SET', KEYS[1], held)
  else
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ttl))
  end
  if group == '' then return 1 end
else
  local live = redis.pcall('ZCOUNT', KEYS[2], string.format('(%.0f', now), '+inf')
  if type(live) == 'table' then return live end
  if live >= tonumber(ARGV[5]) then
    local counted = redis.call('ZSCORE', KEYS[2], ARGV[3])
    if not counted or tonumber(counted) <= now then return -1 end
  end
  redis.call('SET', KEYS[1], ARGV[1] .. ARGV[4], 'PX', ARGV[2])
end
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ttl), ARGV[3])
local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', 0, 8)
if #ended > 0 then redis.call('ZREM', KEYS[2], unpack(ended)) end
if redis.call('PTTL', KEYS[2]) < ttl then
  redis.call('PEXPIRE', KEYS[2], string.format('%.0f', ttl))
end
return 1

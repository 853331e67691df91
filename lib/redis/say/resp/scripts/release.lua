-- SPDX-License-Identifier: Apache-2.0
-- KEYS[1] reservation, ARGV owner.  1 deleted · 0 another's · -1 free
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then return held end
if not held then return -1 end
if string.sub(held, 1, 16) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1

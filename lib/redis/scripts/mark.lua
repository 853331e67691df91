-- SPDX-License-Identifier: Apache-2.0
-- KEYS[1] marker, ARGV whom it must name, a new nonce. Leaves one that names it as it is. When a new
-- one stands is not known before it stands: "-". Answers the marker that is there now.
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'table' then return held end
if held and string.match(held, '^(.+) %S+ %S+$') == ARGV[1] then return held end
held = ARGV[1] .. ' - ' .. ARGV[2]
redis.call('SET', KEYS[1], held)
return held

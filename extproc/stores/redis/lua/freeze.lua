-- Have everything be refused that is to be taken of a group; or no longer.
--
-- KEYS: a group's two, see groups.lua.
-- ARGV: 1 the time, empty for the server's; 2 the server's run_id; 3 a name for the group's life;
--       4 how long a group heals; 5 '1', or empty.
--
-- Answer: {T, now, the group's life}.  What was ever frozen does not expire.

local now, key, leases = clock(ARGV[1]), KEYS[1], KEYS[2]
local stored = redis.call('HGET', key, LIFE)
local life = life_of(key, leases, stored, '', ARGV[2], ARGV[3], now, tonumber(ARGV[4]))
if ARGV[5] == '1' then
  redis.call('HSET', key, FROZEN, '1')
  keep_it(key, leases, now, now + EVER)
else
  redis.call('HDEL', key, FROZEN)
end
return {'T', number(now), life}

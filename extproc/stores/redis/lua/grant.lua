-- Give so much of a counter, whoever took it; or all that was taken, and no more.
--
-- KEYS: a group's two, see groups.lua.
-- ARGV: 1 the time, empty for the server's; 2 the server's run_id; 3 a name for the group's life;
--       4 how long a group heals; then the charge, see states.lua, whose cost is what is given,
--       -1 for all; kept and capacity are empty.
--
-- Answer: {T, now, the group's life, the time that it is counted at, the state, empty for none}; or
-- {S, now, the group's time}: the client's idea of the time is another.

local now, key, leases = clock(ARGV[1]), KEYS[1], KEYS[2]
local time = latest(now, redis.call('HGET', key, NOW))
local charge = charge_at(5)
if skewed(charge, time) then return {'S', number(now), number(time)} end

local function granted(state, kind, cost)
  if kind == 'r' then return state and cost >= 0 and math.max(time, state - cost) or nil end
  if kind == 'n' then return state end
  if kind == 'c' then
    if cost < 0 then cost = math.max(0, level(state, kind, time)) end
    return add(state, kind, time, -cost, charge)
  end
  local parts = moved(state, time, charge[A])
  if cost >= 0 then parts[3] = parts[3] - cost end
  for i = 3, LAST do
    if cost < 0 then parts[i] = math.min(parts[i], 0) end
  end
  return parts
end

local kind = charge[KIND]
local stored = redis.call('HGET', key, LIFE)
local life = life_of(key, leases, stored, '', ARGV[2], ARGV[3], time, tonumber(ARGV[4]))
local state = parse(redis.call('HGET', key, charge[FIELD]), kind)
state = granted(state, kind, charge[COST])
if not state then
  redis.call('HDEL', key, charge[FIELD])
  return {'T', number(now), life, number(time), ''}
end
local text = text_of(state, kind)
redis.call('HSET', key, charge[FIELD], text)
keep_it(key, leases, time, idle(state, kind) or time)
return {'T', number(now), life, number(time), text}

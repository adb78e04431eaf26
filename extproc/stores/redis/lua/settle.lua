-- Charge what it was in place of what was reserved, once.
--
-- KEYS: two for each group, see groups.lua.
-- ARGV: 1 the time, empty for the server's; 2 the reservation's name;
--       for each group: how many charges; for each of them: eight, see states.lua, of which the
--       cost is the real one, and kept and capacity are empty.
--
-- Answer: {WHAT, now, for each group whether it was held and the time it is counted at, and where it
-- was a state for each of its charges}.  WHAT is T done, or nothing was to be done; or {S, now, the
-- group's time}: the client's idea of the time is another.

local now, name = clock(ARGV[1]), ARGV[2]
local groups, answer, at = {}, {'T', number(now)}, 3

for i = 1, #KEYS, 2 do
  local charges, count = {}, tonumber(ARGV[at])
  local found = redis.call('HMGET', KEYS[i], HELD .. name, NEXT, NOW)
  local time = latest(now, found[3])
  at = at + 1
  for j = 1, count do
    charges[j], at = charge_at(at), at + STRIDE
    if skewed(charges[j], time) then return {'S', number(now), number(time)} end
  end
  groups[#groups + 1] = {
    key = KEYS[i], leases = KEYS[i + 1], charges = charges, found = found, now = time}
end

for _, group in ipairs(groups) do
  local key, leases, time, found = group.key, group.leases, group.now, group.found
  if found[2] and time >= tonumber(found[2]) then
    lapse(key, leases, time)
    found = redis.call('HMGET', key, HELD .. name)
  end
  answer[#answer + 1] = found[1] and 1 or 0
  answer[#answer + 1] = number(time)
  if found[1] then
    redis.call('HDEL', key, HELD .. name)
    redis.call('HSET', key, NOW, number(time))
    redis.call('ZREM', leases, name)
    for j, held in ipairs(cmsgpack.unpack(found[1])[3]) do
      local charge = group.charges[j]
      answer[#answer + 1] = correct(key, leases, held, charge[COST], time, charge)
    end
  end
end
return answer

-- Count all of some charges, or none.
--
-- KEYS: two for each group, see groups.lua.
-- ARGV: 1 the time, empty for the server's; 2 until when it may be done, 0 for ever; 3 the lease,
--       0 where nothing will be settled; 4 the reservation's name; 5 how many counters a group may
--       have; 6 how many reservations; 7 the server's run_id; 8 how long a group heals;
--       for each group: the life that the client knows, empty for none; how many charges;
--       for each of them: eight, see states.lua, the capacity empty where it is forced.
-- Times are in microseconds.
--
-- Answer: {WHAT, now, how many were counted together with others, for each group a life, empty for
-- the one that the client knows, and the time that it is counted at, a state for each charge}.  WHAT
-- is T taken, F frozen, B all reservations are under way, M a group has lost what it knew, or is
-- handed it; or R refused, with a state, empty for none, and what does not fit on top of it, empty
-- where it does; or {L, now}: it came too late; or {S, now, the group's time}:
-- the client's idea of the time is another.

local now, deadline = clock(ARGV[1]), tonumber(ARGV[2])
local lease, name, share = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local reservations, run, healing = tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])
if deadline > 0 and now > deadline then return {'L', number(now)} end

local groups, answer, at = {}, {'T', number(now), 0}, 9
local why = nil

for i = 1, #KEYS, 2 do
  local key, leases, charges = KEYS[i], KEYS[i + 1], {}
  local known, count = ARGV[at], tonumber(ARGV[at + 1])
  local fields = {LIFE, HEAL, FROZEN, NEXT, UNTIL, NOW}
  at = at + 2
  for j = 1, count do
    local charge = charge_at(at)
    charges[j], fields[j + 6], at = charge, charge[FIELD], at + STRIDE
  end
  local found = redis.call('HMGET', key, unpack(fields))
  local time = latest(now, found[6])
  for _, charge in ipairs(charges) do
    if skewed(charge, time) then return {'S', number(now), number(time)} end
  end
  local life, whole = life_of(key, leases, found[1], known, run, name, time, healing)
  local due = found[4] and time >= tonumber(found[4])
  if due then lapse(key, leases, time) end
  if due or not found[1] then found = redis.call('HMGET', key, unpack(fields)) end
  if not whole or (found[2] and time < tonumber(found[2])) then
    why = 'M'
  elseif found[3] then
    why = why or 'F'
  end
  answer[#answer + 1] = life == known and '' or life
  answer[#answer + 1] = number(time)
  groups[#groups + 1] = {key = key, leases = leases, charges = charges, found = found, now = time}
end

if not why and lease > 0 then
  for _, group in ipairs(groups) do
    if redis.call('ZCARD', group.leases) > reservations then why = 'B' end
  end
end
if why then
  answer[1] = why
  return answer
end

local refused = false
for _, group in ipairs(groups) do
  local sums = {}
  for j, charge in ipairs(group.charges) do
    local text, field, kind = group.found[j + 6], charge[FIELD], charge[KIND]
    if not text and string.byte(field, -1) ~= 0
      and not room(group.key, group.leases, share, group.now) then
      -- Those whom a group has no counter left for are counted together.
      answer[3] = answer[3] + 1
      field = string.match(field, '^%Z+') .. '\0\0'
      charge[FIELD], text = field, redis.call('HGET', group.key, field)
    end
    charge.state = parse(text, kind)
    sums[field] = (sums[field] or 0) + charge[COST]
    charge.sum = sums[field]
    charge.fits = not charge[CAPACITY]
      or level(charge.state, kind, group.now, charge[A]) + charge.sum <= charge[CAPACITY]
    refused = refused or not charge.fits
  end
end

if refused then
  answer[1] = 'R'
  for _, group in ipairs(groups) do
    for _, charge in ipairs(group.charges) do
      answer[#answer + 1] = charge.state and text_of(charge.state, charge[KIND]) or ''
      answer[#answer + 1] = charge.fits and '' or number(charge.sum)
    end
  end
  return answer
end

for _, group in ipairs(groups) do
  local time, states, held, written, wanted = group.now, {}, {}, {}, group.now + lease
  for j, charge in ipairs(group.charges) do
    local kind, field = charge[KIND], charge[FIELD]
    local state = add(states[field] or charge.state, kind, time, charge[COST], charge)
    local text, idle_at = text_of(state, kind), idle(state, kind)
    states[field] = state
    written[2 * j - 1], written[2 * j] = field, text
    answer[#answer + 1] = text
    if idle_at and idle_at > wanted then wanted = idle_at end
    held[j] = {field, kind, charge[COST], mark_of(state, kind), charge[A], charge[KEPT]}
  end
  if #held > 0 then
    written[#written + 1] = NOW
    written[#written + 1] = number(time)
    if lease > 0 then
      written[#written + 1] = HELD .. name
      written[#written + 1] = cmsgpack.pack({0, lease, held})
      redis.call('ZADD', group.leases, number(time + lease), name)
      if not group.found[4] or tonumber(group.found[4]) > time + lease then
        written[#written + 1] = NEXT
        written[#written + 1] = number(time + lease)
      end
    end
    redis.call('HSET', group.key, unpack(written))
    keep(group.key, group.leases, group.found[5], time, wanted)
  end
end
return answer

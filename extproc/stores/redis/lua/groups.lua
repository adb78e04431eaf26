-- The counters of one group, and what is held of them.
--
-- A group has two keys, in one slot by the hash tag in their names:
--   1 a hash of its counters: field KIND RULE \0 SUBJECT, value see states.lua; of its reservations:
--     \1NAME   what is held: {whether it has lapsed, lease, charges}, each charge {field, kind,
--              cost, mark, a, kept}
--     and of itself:
--     \0life   by which life of the store it was made: NAME|RUN, RUN the server's run_id
--     \0heal   until when replicas hand in what they knew of the life before
--     \0frozen whether an operator has stopped it
--     \0next   when a lease ends at the earliest
--     \0until  when it expires, or later
--     \0now    the latest time that it was counted at: where the clock goes back, it stands still
--     \0hand   where sweeping goes on
--   2 a sorted set of reservations, by the end of their lease; an empty name keeps it in being

local LIFE, HEAL, FROZEN, HAND = '\0life', '\0heal', '\0frozen', '\0hand'
local NEXT, UNTIL, NOW, HELD = '\0next', '\0until', '\0now', '\1'
local AT_ONCE = 16
local SWEPT = 8
local SMALL = 512 -- a hash of so many is one list, which HSCAN gives whole
local HOUR = 3600 * 1000000 -- microseconds that a group outlives what it says
local EVER = 100 * 365 * 24 * HOUR

local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- The time that a group is counted at.
local function latest(now, known)
  return known and math.max(now, tonumber(known)) or now
end

-- Keep a group until then at least; told when it would expire else.
local function keep(key, leases, known, now, wanted)
  if known and wanted <= tonumber(known) then return end
  local passes = wanted - now + HOUR
  redis.call('HSET', key, UNTIL, number(wanted + HOUR))
  redis.call('PEXPIRE', key, number(passes / 1000))
  redis.call('ZADD', leases, 'inf', '')
  redis.call('PEXPIRE', leases, number(passes / 1000))
end

local function keep_it(key, leases, now, wanted)
  keep(key, leases, redis.call('HGET', key, UNTIL), now, wanted)
end

local function charge_at(at)
  return {ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]),
    tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]),
    tonumber(ARGV[at + 7])}
end

-- Change a counter by so much more or less than was charged; what it is now, empty for none.
local function correct(key, leases, held, cost, now, charge)
  local kind, more = held[2], cost - held[3]
  local text = redis.call('HGET', key, held[1])
  local state = parse(text, kind)
  if more > 0 then
    state = add(state, kind, now, more, charge)
  elseif more < 0 and state then
    state = back(state, kind, now, -more, held[4], held[5])
  else
    return text or ''
  end
  text = text_of(state, kind)
  redis.call('HSET', key, held[1], text)
  if more > 0 then keep_it(key, leases, now, idle(state, kind) or now) end
  return text
end

-- Give back what was never settled, but for what is certain; and forget it a lease later.
local function lapse(key, leases, now)
  local over = redis.call('ZRANGEBYSCORE', leases, '-inf', number(now), 'LIMIT', 0, AT_ONCE)
  for _, name in ipairs(over) do
    local packed = redis.call('HGET', key, HELD .. name)
    local what = packed and cmsgpack.unpack(packed) or {1}
    if what[1] == 1 then
      redis.call('ZREM', leases, name)
      redis.call('HDEL', key, HELD .. name)
    else
      for _, charge in ipairs(what[3]) do
        correct(key, leases, charge, charge[6], now)
        charge[3] = charge[6]
      end
      what[1] = 1
      redis.call('ZADD', leases, number(now + what[2]), name)
      redis.call('HSET', key, HELD .. name, cmsgpack.pack(what))
      keep_it(key, leases, now, now + what[2])
    end
  end
  redis.call('HSET', key, NOW, number(now))
  local first = redis.call('ZRANGE', leases, 0, 0, 'WITHSCORES')
  if first[2] and first[1] ~= '' then
    redis.call('HSET', key, NEXT, first[2])
  else
    redis.call('HDEL', key, NEXT)
  end
end

-- Have a group be of a new life of the store: what replicas knew of the one before is to come.
local function reborn(key, leases, name, run, now, healing)
  local life = name .. '|' .. run
  redis.call('HSET', key, LIFE, life, HEAL, number(now + healing))
  keep_it(key, leases, now, now + healing)
  return life
end

-- The life that a group is of, and whether it can be counted on: not where the client, or the
-- group itself, knows another one than the server's.
local function life_of(key, leases, stored, known, run, name, now, healing)
  if not stored then
    if known ~= '' then return reborn(key, leases, name, run, now, healing), false end
    local life = name .. '|' .. run
    redis.call('HSET', key, LIFE, life)
    keep_it(key, leases, now, now)
    return life, true
  end
  if string.sub(stored, -#run) ~= run then
    return reborn(key, leases, name, run, now, healing), false
  end
  return stored, known == '' or known == stored
end

-- Forget some counters that say the same as none.
local function sweep(key, now)
  local hand = redis.call('HGET', key, HAND) or '0'
  local found = redis.call('HSCAN', key, hand, 'COUNT', SWEPT)
  for i = 1, #found[2], 2 do
    local field = found[2][i]
    if string.byte(field) > 1 then
      local text = found[2][i + 1]
      local kind = string.sub(text, 1, 1)
      local at = idle(parse(text, kind), kind)
      if at and at <= now then redis.call('HDEL', key, field) end
    end
  end
  redis.call('HSET', key, HAND, found[1])
end

-- Whether a group may have one more counter.
local function room(key, leases, share, now)
  local size = redis.call('HLEN', key)
  if size < SMALL and size < share then return true end
  sweep(key, now)
  return redis.call('HLEN', key) - redis.call('ZCARD', leases) < share
end

-- What a replica has counted of callers is kept, and it is told what others have.
--
-- KEYS: 1 the subjects by when they changed; 2 what is known of all: how many changes there were,
--       and by which life of the store; 3 the replicas by when they were here; 4 begins the names
--       of those of whom each policy has put on a step, by when.  A subject's own hash, in the same
--       slot, is named as the first key is, and then as it is called: of each replica, and of each
--       time that it began anew, what it counted; under + what those counted that are gone.
-- ARGV: 1 the time, empty for the server's; 2 the replica; 3 the life that it knows; 4 the last
--       change that it knows; 5 for how long a subject is kept, in seconds; 6 how many subjects it
--       wants; 7 how many octets; 8 how many fields a subject may have; 9 how many callers it would
--       put on a step, then of each the policy, the subject, and how many that policy puts there in
--       an hour, 0 where it has been put there; then how many subjects it writes, and of each the
--       subject, the field and what it counted; then of each subject that is to be folded: the
--       subject, what becomes of +, how many fields that stands for, and of each the field and the
--       SHA-1 of what it says.
--
-- Answer: {WHAT, now, life, change, entries, alive, may}.  WHAT is D for a replica that was taken
-- for gone; nothing is done then.  Else T: change is the last that it knows now, each entry is
-- {subject, field, what, field, what...}, alive are the replicas that were here lately, and may
-- says of each caller whether it may be put on a step, 1 or 0.

local AWAY = 3600 * 1000000 -- microseconds after which a replica is gone
local KEPT = 30 * 24 * AWAY
local MOST = 1000000 -- subjects that are told of
local FOLDED = '+'
local HOURLY = 3600 * 1000000 -- microseconds in which no more are put on a step than may be

local now, replica = clock(ARGV[1]), ARGV[2]
local changed, known, alive = KEYS[1], KEYS[2], KEYS[3]
local since, ttl, fields = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[8])

local function here(name)
  local seen = redis.call('ZSCORE', alive, name)
  return seen and now - tonumber(seen) <= AWAY
end

local function gone(field)
  return field == FOLDED or not here(string.match(field, '^[^.]*'))
end

local function note(key, subject)
  redis.call('EXPIRE', key, ttl)
  redis.call('ZADD', changed, redis.call('HINCRBY', known, 'changes', 1), subject)
end

-- Where there are too many fields the one of whoever is gone goes, else any other.
local function bound(key, own)
  while redis.call('HLEN', key) > fields do
    local least
    for _, field in ipairs(redis.call('HKEYS', key)) do
      if field ~= own and field ~= FOLDED and (not least or gone(field)) then least = field end
    end
    if not least then return end
    redis.call('HDEL', key, least)
  end
end

local seen = redis.call('ZSCORE', alive, replica)
if seen and not here(replica) then return {'D', number(now)} end
redis.call('ZADD', alive, number(now), replica)
redis.call('ZREMRANGEBYSCORE', alive, '-inf', number(now - KEPT))
local life = redis.call('HGET', known, 'life')
if not life then
  life = replica .. number(now)
  redis.call('HSET', known, 'life', life)
end
if life ~= ARGV[3] then since = 0 end

local entries, octets, last, room = {}, 0, since, tonumber(ARGV[7])

-- Whether there is still room for what stands of a subject; the first is told whatever it takes.
local function told(subject)
  local entry, size = redis.call('HGETALL', changed .. subject), 0
  for _, word in ipairs(entry) do size = size + #word end
  if octets > 0 and octets + size > room then return false end
  octets = octets + size
  if size > 0 then
    table.insert(entry, 1, subject)
    table.insert(entries, entry)
  else
    redis.call('ZREM', changed, subject)
  end
  return true
end

local found = redis.call('ZRANGEBYSCORE', changed, '(' .. number(since), '+inf', 'WITHSCORES',
  'LIMIT', 0, tonumber(ARGV[6]))
for at = 1, #found, 2 do
  if not told(found[at]) then break end
  last = tonumber(found[at + 1])
end
local whole = last == tonumber(redis.call('HGET', known, 'changes') or 0)

-- Whoever is counted already is counted as of now: in no hour are there more than so many.
local function put(policy, subject, most)
  local key = KEYS[4] .. policy
  redis.call('ZREMRANGEBYSCORE', key, '-inf', number(now - HOURLY))
  local known = most == 0 or redis.call('ZSCORE', key, subject)
  if not known and redis.call('ZCARD', key) >= most then return 0 end
  redis.call('ZADD', key, number(now), subject)
  redis.call('PEXPIRE', key, number(HOURLY / 1000))
  return 1
end

local place, may = 10, {}
for _ = 1, tonumber(ARGV[9]) do
  table.insert(may, put(ARGV[place], ARGV[place + 1], tonumber(ARGV[place + 2])))
  place = place + 3
end

local writes = tonumber(ARGV[place])
place = place + 1
for _ = 1, writes do
  local subject, field = ARGV[place], ARGV[place + 1]
  local key = changed .. subject
  local new = redis.call('HSET', key, field, ARGV[place + 2]) == 1
  bound(key, field)
  note(key, subject)
  -- Who begins anew is told what there was, else when it comes to that.
  if new and redis.call('HLEN', key) > 1 and not told(subject) then whole = false end
  place = place + 3
end
while place <= #ARGV do
  local subject, count = ARGV[place], tonumber(ARGV[place + 2])
  local key, same, names = changed .. subject, count > 0, {}
  for at = place + 3, place + 1 + 2 * count + 1, 2 do
    local what = redis.call('HGET', key, ARGV[at])
    same = same and what and redis.sha1hex(what) == ARGV[at + 1]
    same = same and (gone(ARGV[at]) or string.match(ARGV[at], '^[^.]*') == replica)
    table.insert(names, ARGV[at])
  end
  if same then
    redis.call('HDEL', key, unpack(names))
    redis.call('HSET', key, FOLDED, ARGV[place + 1])
    note(key, subject)
  end
  place = place + 3 + 2 * count
end
if whole then last = tonumber(redis.call('HGET', known, 'changes') or 0) end
redis.call('ZREMRANGEBYRANK', changed, 0, -MOST - 1)
redis.call('EXPIRE', changed, ttl)
redis.call('EXPIRE', known, ttl)
redis.call('EXPIRE', alive, ttl)
local living = redis.call('ZRANGEBYSCORE', alive, number(now - AWAY), '+inf')
return {'T', number(now), life, number(last), entries, living, may}

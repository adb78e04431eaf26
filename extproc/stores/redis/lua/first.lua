-- Whether a signed request is shown for the first time.
--
-- KEYS: 1 since when it is kept what was shown, and by which run of the server; 2 the request.
-- ARGV: 1 the time, empty for the server's; 2 the server's run_id; 3 when the request may have been
--       shown first; 4 until when it may be shown; 5 how much longer it is kept.
-- Times are in microseconds.
--
-- Answer: {WHAT, now}.  WHAT is T the first time, R not the first, U nobody knows: it may have been
-- shown before the store began to keep that, or by a store that has lost it.  Without a second key
-- only the beginning is noted.

local now, run = clock(ARGV[1]), ARGV[2]
local since = redis.call('GET', KEYS[1])
if not since or string.sub(since, -#run) ~= run then
  since = number(now) .. ' ' .. run
  redis.call('SET', KEYS[1], since)
end
if #KEYS == 1 then return {'T', number(now)} end
if redis.call('EXISTS', KEYS[2]) == 1 then return {'R', number(now)} end
if tonumber(ARGV[3]) < tonumber(string.match(since, '^%d+')) then return {'U', number(now)} end
local kept = math.max(0, tonumber(ARGV[4]) - now) + tonumber(ARGV[5])
redis.call('SET', KEYS[2], '', 'PX', number(kept / 1000))
return {'T', number(now)}

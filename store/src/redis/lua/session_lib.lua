-- Ends a session that has not ended; false where it had.
local function end_one(id, now, reason)
  local session = key('session', id)
  local found = redis.call('HMGET', session, 'account', 'device', 'ended_at')
  if not found[1] or found[3] then return false end
  redis.call('HSET', session, 'ended_at', now, 'ended_reason', reason)
  redis.call('SREM', key('open', found[1]), id)
  if found[2] then redis.call('SREM', key('open_from', found[2]), id) end
  return true
end
-- Ends what has neither ended nor expired, but `keep`. What only looks idle is ended too: memory may know of a use that has
-- not been flushed yet.
local function end_all_in(open, keep, now, reason)
  local ended = {}
  for _, id in ipairs(redis.call('SMEMBERS', open)) do
    local expires = redis.call('HGET', key('session', id), 'expires_at')
    if id ~= keep and expires and tonumber(expires) > tonumber(now) and end_one(id, now, reason) then
      ended[#ended + 1] = id
    end
  end
  return ended
end
local function end_all(account, keep, now, reason) return end_all_in(key('open', account), keep, now, reason) end
-- Forgets a session as if it had never been.
local function forget_session(id)
  local found = redis.call('HMGET', key('session', id), 'account', 'device')
  if found[1] then
    redis.call('SREM', key('open', found[1]), id)
    redis.call('SREM', key('sessions_of', found[1]), id)
  end
  if found[2] then redis.call('SREM', key('open_from', found[2]), id) end
  redis.call('DEL', key('session', id))
  redis.call('ZREM', key('sessions'), id)
end

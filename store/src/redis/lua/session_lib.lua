-- Ends a session that has not ended; false where it had.
local function end_one(id, now, reason)
  local session = key('session', id)
  local account = redis.call('HGET', session, 'account')
  if not account or redis.call('HEXISTS', session, 'ended_at') == 1 then return false end
  redis.call('HSET', session, 'ended_at', now, 'ended_reason', reason)
  redis.call('SREM', key('open', account), id)
  return true
end
-- Ends what has neither ended nor expired, but `keep`. What only looks idle is ended too: memory may know of a use that has
-- not been flushed yet.
local function end_all(account, keep, now, reason)
  local ended = {}
  for _, id in ipairs(redis.call('SMEMBERS', key('open', account))) do
    local expires = redis.call('HGET', key('session', id), 'expires_at')
    if id ~= keep and expires and tonumber(expires) > tonumber(now) and end_one(id, now, reason) then
      ended[#ended + 1] = id
    end
  end
  return ended
end
-- Forgets a session as if it had never been.
local function forget_session(id)
  local account = redis.call('HGET', key('session', id), 'account')
  if account then
    redis.call('SREM', key('open', account), id)
    redis.call('SREM', key('sessions_of', account), id)
  end
  redis.call('DEL', key('session', id))
  redis.call('ZREM', key('sessions'), id)
end

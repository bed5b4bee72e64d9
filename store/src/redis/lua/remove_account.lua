-- id, expected version or empty, its name, the hash of it. The audit stays; the rest goes: the name is free again.
local function work()
  local id, wrong = args[1], unlike(args[1], args[2])
  if wrong then return wrong end
  local name = redis.call('HGET', key('account', id), 'name')
  if args[3] ~= name then return {'version_mismatch'} end
  local ended = redis.call('SMEMBERS', key('open', id))
  for _, session in ipairs(redis.call('SMEMBERS', key('sessions_of', id))) do forget_session(session) end
  forget_name(args[4])
  redis.call('HDEL', key('names'), name)
  redis.call('HDEL', key('names_by_hash'), args[4])
  redis.call('ZREM', key('names_in_order'), name)
  redis.call('DEL', key('account', id), key('credential', id), key('codes', id), key('open', id), key('sessions_of', id))
  return {'ok', ended}
end

-- id, hash, whether temporary, the session to keep or empty, when, why.
local function work()
  local id = args[1]
  if not raise_versions(id) then return {'not_found'} end
  redis.call('HSET', key('credential', id), 'password_hash', args[2])
  redis.call('HSET', key('account', id), 'password_temporary', args[3])
  return {'ok', end_all(id, args[4], args[5], args[6])}
end

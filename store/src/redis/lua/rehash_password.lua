-- id, the old hash, the new one. Ignored where the old one is no longer there.
local function work()
  if redis.call('HGET', key('credential', args[1]), 'password_hash') == args[2] then
    redis.call('HSET', key('credential', args[1]), 'password_hash', args[3])
  end
  return {'ok'}
end

-- name.
local function work()
  local hash = redis.call('HGET', key('token_hashes'), args[1])
  if not hash then return {'ok', '0'} end
  redis.call('HDEL', key('tokens'), args[1])
  redis.call('HDEL', key('token_hashes'), args[1])
  redis.call('HDEL', key('token_names'), hash)
  return {'ok', '1'}
end

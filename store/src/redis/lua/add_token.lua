-- name, hash, the token as JSON.
local function work()
  if redis.call('HEXISTS', key('tokens'), args[1]) == 1 or redis.call('HEXISTS', key('token_names'), args[2]) == 1 then
    return {'name_taken'}
  end
  redis.call('HSET', key('tokens'), args[1], args[3])
  redis.call('HSET', key('token_names'), args[2], args[1])
  redis.call('HSET', key('token_hashes'), args[1], args[2])
  return {'ok'}
end

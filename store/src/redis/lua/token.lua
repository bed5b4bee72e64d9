-- hash.
local function work()
  local name = redis.call('HGET', key('token_names'), args[1])
  if not name then return {'not_found'} end
  return {'ok', redis.call('HGET', key('tokens'), name)}
end

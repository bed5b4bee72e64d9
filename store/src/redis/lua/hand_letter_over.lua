-- id, claim, until when it stays claimed.
local function work()
  local id = args[1]
  if not is_claimed(id, args[2]) then return {'ok', '0'} end
  redis.call('HSET', key('letter', id), 'may_have_arrived', '1')
  if tonumber(redis.call('HGET', key('letter', id), 'due_at')) < tonumber(args[3]) then set_due(id, args[3]) end
  return {'ok', '1'}
end

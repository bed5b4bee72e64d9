-- id, when. A clock that was set back must not take a later reinstatement away.
local function work()
  local id, wrong = args[1], unlike(args[1], '')
  if wrong then return wrong end
  local before = redis.call('HGET', key('account', id), 'reinstated_at')
  if not before or tonumber(before) < tonumber(args[2]) then
    redis.call('HSET', key('account', id), 'reinstated_at', args[2])
  end
  redis.call('HINCRBY', key('account', id), 'version', 1)
  return {'ok', account_of(id)}
end

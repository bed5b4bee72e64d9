-- Session, account and time, again and again. Never moves a time backwards.
local function work()
  for i = 1, #args, 3 do
    local session, at = key('session', args[i]), args[i + 2]
    local before = redis.call('HGET', session, 'last_used_at')
    if before and tonumber(before) < tonumber(at) then redis.call('HSET', session, 'last_used_at', at) end
    used(args[i + 1], 'last_used_at', at)
  end
  return {'ok'}
end

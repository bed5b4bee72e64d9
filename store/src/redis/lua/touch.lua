-- Session, account and time, again and again. Never moves a time backwards.
local function later(name, at)
  if redis.call('EXISTS', name) == 0 then return end
  local before = redis.call('HGET', name, 'last_used_at')
  if not before or tonumber(before) < tonumber(at) then redis.call('HSET', name, 'last_used_at', at) end
end
local function work()
  for i = 1, #args, 3 do
    later(key('session', args[i]), args[i + 2])
    later(key('account', args[i + 1]), args[i + 2])
  end
  return {'ok'}
end

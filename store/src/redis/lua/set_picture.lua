-- account, kind or empty for none, tag, bytes.
local function work()
  local picture = key('picture', args[1])
  if redis.call('EXISTS', key('account', args[1])) == 0 then return {'not_found'} end
  redis.call('DEL', picture)
  if args[2] ~= '' then redis.call('HSET', picture, 'kind', args[2], 'tag', args[3], 'bytes', args[4]) end
  return {'ok'}
end

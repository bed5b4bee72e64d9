local function work()
  local found = redis.call('HMGET', key('policy'), 'revision', 'sha256')
  if not found[1] then return {'not_found'} end
  return {'ok', found[1], found[2]}
end

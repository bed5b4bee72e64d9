local function work()
  local revision = redis.call('HGET', key('policy'), 'revision')
  if not revision then return {'not_found'} end
  return {'ok', revision, redis.call('HGET', key('policies'), revision)}
end

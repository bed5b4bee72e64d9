-- How many, and since when the oldest waits, or empty.
local function work()
  local oldest = redis.call('ZRANGE', key('letters_queued'), 0, 0)[1]
  local since = ''
  if oldest then since = redis.call('HGET', key('letter', oldest), 'queued_at') end
  return {'ok', int(redis.call('ZCARD', key('letters'))), since}
end

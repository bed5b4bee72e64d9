-- Each event: its JSON, how many indexes it stands in, their names. Numbers are given here, so none is missing. The audit and
-- its indexes are streams whose ids are the numbers.
local function work()
  local i = 1
  while i <= #args do
    local id = int(redis.call('INCR', key('audit_number'))) .. '-0'
    redis.call('XADD', key('audit'), id, 'event', args[i])
    local indexes = tonumber(args[i + 1])
    for j = i + 2, i + 1 + indexes do redis.call('XADD', key('audit', args[j]), id, '', '') end
    i = i + 2 + indexes
  end
  return {'ok'}
end

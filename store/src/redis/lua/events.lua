-- Index or empty, below this number or empty, how many. Newest first; each: number and JSON.
local function work()
  local stream, from = key('audit'), '+'
  if args[1] ~= '' then stream = key('audit', args[1]) end
  if args[2] ~= '' then from = '(' .. args[2] .. '-0' end
  local found = {'ok'}
  for _, entry in ipairs(redis.call('XREVRANGE', stream, from, '-', 'COUNT', args[3])) do
    local event = entry
    if args[1] ~= '' then event = redis.call('XRANGE', key('audit'), entry[1], entry[1])[1] end
    if event then found[#found + 1] = {string.match(entry[1], '^%d+'), event[2][2]} end
  end
  return found
end

-- before, at most so many of each.
local function work()
  local links = redis.call('ZRANGEBYSCORE', key('links'), '-inf', '(' .. args[1], 'LIMIT', 0, args[2])
  for _, hash in ipairs(links) do drop_link(hash) end
  local asked = redis.call('ZRANGEBYSCORE', key('asked'), '-inf', '(' .. args[1], 'LIMIT', 0, args[2])
  for _, entry in ipairs(asked) do
    local of, number = string.match(entry, '^(%x+):(%d+)$')
    redis.call('ZREM', key('asked', of), number)
    redis.call('ZREM', key('asked'), entry)
  end
  return {'ok', int(#links + #asked)}
end

-- A node says that it lives and up to which change it has heard, and hears what came after. ARGV: epoch, node, number, for how
-- many milliseconds others are to wait for it (0: not yet), what it says of itself. What has long been silent is forgotten.
if redis.call('GET', key('epoch')) ~= ARGV[1] then return {'lost'} end
local now, heard = milliseconds(), ARGV[3]
redis.call('HSET', key('nodes'), ARGV[2], heard .. ' ' .. int(now + tonumber(ARGV[4])) .. ' ' .. ARGV[5])
if ARGV[4] == '0' then
  for _, node in ipairs(nodes()) do
    if node.ends < now - 3600000 then redis.call('HDEL', key('nodes'), node.id) end
  end
end
local newest = redis.call('GET', key('changes_number')) or '0'
if newest == heard or ARGV[4] == '0' then return {'ok', newest, {}} end
local found = {}
for _, entry in ipairs(redis.call('XRANGE', key('changes'), '(' .. heard .. '-0', '+', 'COUNT', 500)) do
  local change = table_of(entry[2])
  found[#found + 1] = string.match(entry[1], '^%d+')
  for _, field in ipairs({'s', 'a', 'p', 'all'}) do found[#found + 1] = change[field] end
end
return {'ok', newest, found}

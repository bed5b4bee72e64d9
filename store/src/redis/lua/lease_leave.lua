-- A node goes; the last one gives the store back. ARGV: epoch, node.
redis.call('HDEL', key('nodes'), ARGV[2])
local now = milliseconds()
for _, node in ipairs(nodes()) do
  if node.ends > now then return {'ok'} end
end
if redis.call('GET', key('epoch')) == ARGV[1] then redis.call('DEL', key('door')) end
return {'ok'}

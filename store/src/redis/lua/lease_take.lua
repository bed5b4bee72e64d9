-- Takes the store for one node, if nobody holds it. ARGV: node, milliseconds.
local held = redis.call('GET', key('door'))
if held and held ~= ARGV[1] then return {'held', held, int(redis.call('PTTL', key('door')))} end
redis.call('SET', key('door'), ARGV[1], 'PX', ARGV[2])
redis.call('HSETNX', key('meta'), 'format', '1')
redis.call('HSETNX', key('meta'), 'store', ARGV[3])
return {'ok', int(redis.call('INCR', key('epoch'))), redis.call('HGET', key('meta'), 'store')}

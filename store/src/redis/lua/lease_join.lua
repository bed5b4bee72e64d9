-- Takes the store for several nodes, or joins those that have it. ARGV: what they are called together, milliseconds, a name
-- for the store. Who comes after all were gone for a while goes on where they were: nobody else had it.
local held = redis.call('GET', key('door'))
if held and held ~= ARGV[1] then return {'held', held, int(redis.call('PTTL', key('door')))} end
local epoch = redis.call('GET', key('epoch'))
if not epoch or redis.call('HGET', key('meta'), 'together') ~= epoch then epoch = int(redis.call('INCR', key('epoch'))) end
redis.call('SET', key('door'), ARGV[1], 'PX', ARGV[2])
redis.call('HSETNX', key('meta'), 'format', '1')
redis.call('HSETNX', key('meta'), 'store', ARGV[3])
redis.call('HSET', key('meta'), 'together', epoch)
return {'ok', epoch, redis.call('HGET', key('meta'), 'store')}

-- Holds the store longer, unless somebody else has taken it meanwhile. ARGV: node, milliseconds, epoch.
if redis.call('GET', key('epoch')) ~= ARGV[3] then return {'lost', redis.call('GET', key('door')) or ''} end
redis.call('SET', key('door'), ARGV[1], 'PX', ARGV[2])
return {'ok'}

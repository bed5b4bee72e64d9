-- Gives the store back. ARGV: epoch.
if redis.call('GET', key('epoch')) == ARGV[1] then redis.call('DEL', key('door')) end
return {'ok'}

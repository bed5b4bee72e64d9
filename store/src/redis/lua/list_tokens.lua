local function work() return {'ok', redis.call('HVALS', key('tokens'))} end

-- when.
local function work() return {'ok', int(redis.call('ZCOUNT', key('letters_due'), '-inf', args[1]))} end

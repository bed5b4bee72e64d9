-- account, since when it is not used, the letter. Both the mark and the letter, or neither.
local function work()
  local account, letter = key('account', args[1]), cjson.decode(args[3])
  if redis.call('EXISTS', account) == 0 then return {'not_found'} end
  local warned_of = redis.call('HGET', account, 'warned_of')
  if warned_of and tonumber(warned_of) >= tonumber(args[2]) then return {'ok', '0'} end
  local wrong = unfit_letter(letter)
  if wrong then return wrong end
  redis.call('HSET', account, 'warned_of', args[2])
  put_letter(letter)
  return {'ok', '1'}
end

-- name, hash, the token as JSON, the account it acts as or empty.
local function work()
  if args[4] ~= '' and redis.call('EXISTS', key('account', args[4])) == 0 then return {'not_found'} end
  if redis.call('HEXISTS', key('tokens'), args[1]) == 1 or redis.call('HEXISTS', key('token_names'), args[2]) == 1 then
    return {'name_taken'}
  end
  put_token(args[1], args[2], args[3], args[4])
  return {'ok'}
end

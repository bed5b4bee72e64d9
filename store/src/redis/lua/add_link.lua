-- the link and its letter.
local function work()
  local fresh = cjson.decode(args[1])
  local wrong = unfit_link(fresh)
  if wrong then return wrong end
  put_link(fresh)
  return {'ok', account_of(fresh.link.account)}
end

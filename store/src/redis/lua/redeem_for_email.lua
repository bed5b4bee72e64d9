-- hash, when.
local function work()
  local link = live_link(args[1], 'email', args[2])
  if not link then return {'link_dead'} end
  local change = {set = {}, gone = {'email', 'email_hash'}}
  if link.email then change = {set = {email = link.email, email_hash = link.email_hash}, gone = {}} end
  save(link.account, change)
  drop_invitation(link.account)
  drop_links(link.account)
  return {'ok', account_of(link.account)}
end

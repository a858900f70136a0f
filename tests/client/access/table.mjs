// Who may do what: the one table of it, which `matrix.mjs` asks the server, cell by cell, by every door.
//
// A row is a command, what it is about (a comma: it is the same for each), and for each caller what comes of it.
// A colon names one of several ways to ask. `requests.mjs` has the payloads, `cast.mjs` the callers and the rooms:
//
//   public private   rooms of `owner`; `member` is a participant, `removed` was one
//   added            a private room to which `owner` has added `guest`
//   archived         a private room that is archived
//   direct cut       the owner's conversations with `member`, and with `blocked`, whom the owner has blocked
//   guests linkeds   a private room of `guest`; one that `linked` made as a guest, before signing in
//   support closed   the support room of `member`, and one that is closed
//   asks linkasks    the support rooms of `guest`, and the one that `linked` opened as a guest
//   missing          no room. `foreign`, staff of another tenant, finds every room missing

/** What comes of it. */
export const CODES = {
  ok: 'ok',
  // Acknowledged, and nothing comes of it.
  '~': 'ok',
  den: 'access_denied',
  none: 'not_found',
  blk: 'blocked',
  arch: 'room_archived',
  clos: 'room_closed',
  last: 'last_owner',
  inv: 'invalid_payload',
  unau: 'unauthorized',
  forb: 'forbidden',
  dis: 'account_disabled',
};

const TABLE = `
connect                                                        stranger guest other linked member owner blocked removed staff foreign nobody expired disabled
/                        -                                     ok       ok    ok    ok     ok     ok    ok      ok      ok    ok      unau   unau    dis
/support                 -                                     ok       ok    ok    ok     ok     ok    ok      ok      ok    ok      unau   unau    dis
/admin                   -                                     forb     unau  unau  forb   forb   forb  forb    forb    ok    ok      unau   unau    forb

/                                                              stranger guest other linked member owner blocked removed staff foreign
join_room                public                                ok       den   den   ok     ok     ok    ok      ok      ok    none
join_room                private,archived                      den      den   den   den    ok     ok    den     den     den   none
join_room                added                                 den      ok    den   den    ok     ok    den     den     den   none
join_room                direct                                den      den   den   den    ok     ok    den     den     den   none
join_room                cut                                   den      den   den   den    den    ok    ok      den     den   none
join_room                guests                                den      ok    den   den    den    den   den     den     den   none
join_room                linkeds                               den      den   den   ok     den    den   den     den     den   none
join_room                support,closed                        den      den   den   den    ok     den   den     den     ok    none
join_room                asks                                  den      ok    den   den    den    den   den     den     ok    none
join_room                linkasks                              den      den   den   ok     den    den   den     den     ok    none
join_room                missing                               none     none  none  none   none   none  none    none    none  none

get_messages             public                                ok       den   den   ok     ok     ok    ok      ok      ok    none
get_messages             private,archived                      den      den   den   den    ok     ok    den     den     den   none
get_messages             added                                 den      ok    den   den    ok     ok    den     den     den   none
get_messages             direct                                den      den   den   den    ok     ok    den     den     den   none
get_messages             cut                                   den      den   den   den    den    ok    ok      den     den   none
get_messages             guests                                den      ok    den   den    den    den   den     den     den   none
get_messages             linkeds                               den      den   den   ok     den    den   den     den     den   none
get_messages             support,closed                        den      den   den   den    ok     den   den     den     ok    none
get_messages             asks                                  den      ok    den   den    den    den   den     den     ok    none
get_messages             linkasks                              den      den   den   ok     den    den   den     den     ok    none
get_messages             missing                               none     none  none  none   none   none  none    none    none  none

get_room                 public                                ok       den   den   ok     ok     ok    ok      ok      ok    none
get_room                 private,archived                      den      den   den   den    ok     ok    den     den     den   none
get_room                 added                                 den      ok    den   den    ok     ok    den     den     den   none
get_room                 direct                                den      den   den   den    ok     ok    den     den     den   none
get_room                 cut                                   den      den   den   den    den    ok    ok      den     den   none
get_room                 guests                                den      ok    den   den    den    den   den     den     den   none
get_room                 linkeds                               den      den   den   ok     den    den   den     den     den   none
get_room                 support,closed                        den      den   den   den    ok     den   den     den     ok    none
get_room                 asks                                  den      ok    den   den    den    den   den     den     ok    none
get_room                 linkasks                              den      den   den   ok     den    den   den     den     ok    none
get_room                 missing                               none     none  none  none   none   none  none    none    none  none

get_changes              public                                ok       den   den   ok     ok     ok    ok      ok      ok    none
get_changes              private,archived                      den      den   den   den    ok     ok    den     den     den   none
get_changes              added                                 den      ok    den   den    ok     ok    den     den     den   none
get_changes              direct                                den      den   den   den    ok     ok    den     den     den   none
get_changes              cut                                   den      den   den   den    den    ok    ok      den     den   none
get_changes              guests                                den      ok    den   den    den    den   den     den     den   none
get_changes              linkeds                               den      den   den   ok     den    den   den     den     den   none
get_changes              support,closed                        den      den   den   den    ok     den   den     den     ok    none
get_changes              asks                                  den      ok    den   den    den    den   den     den     ok    none
get_changes              linkasks                              den      den   den   ok     den    den   den     den     ok    none
get_changes              missing                               none     none  none  none   none   none  none    none    none  none

get_room_participants    public                                ok       den   den   ok     ok     ok    ok      ok      ok    none
get_room_participants    private,archived                      den      den   den   den    ok     ok    den     den     den   none
get_room_participants    added                                 den      ok    den   den    ok     ok    den     den     den   none
get_room_participants    direct                                den      den   den   den    ok     ok    den     den     den   none
get_room_participants    cut                                   den      den   den   den    den    ok    ok      den     den   none
get_room_participants    guests                                den      ok    den   den    den    den   den     den     den   none
get_room_participants    linkeds                               den      den   den   ok     den    den   den     den     den   none
get_room_participants    support,closed                        den      den   den   den    ok     den   den     den     ok    none
get_room_participants    asks                                  den      ok    den   den    den    den   den     den     ok    none
get_room_participants    linkasks                              den      den   den   ok     den    den   den     den     ok    none
get_room_participants    missing                               none     none  none  none   none   none  none    none    none  none

chat_message             public                                ok       den   den   ok     ok     ok    ok      ok      ok    none
chat_message             private                               den      den   den   den    ok     ok    den     den     den   none
chat_message             added                                 den      ok    den   den    ok     ok    den     den     den   none
chat_message             archived                              den      den   den   den    arch   arch  den     den     den   none
chat_message             direct                                den      den   den   den    ok     ok    den     den     den   none
chat_message             cut                                   den      den   den   den    den    blk   blk     den     den   none
chat_message             guests                                den      ok    den   den    den    den   den     den     den   none
chat_message             linkeds                               den      den   den   ok     den    den   den     den     den   none
chat_message             support                               den      den   den   den    ok     den   den     den     ok    none
chat_message             closed                                den      den   den   den    clos   den   den     den     clos  none
chat_message             asks                                  den      ok    den   den    den    den   den     den     ok    none
chat_message             linkasks                              den      den   den   ok     den    den   den     den     ok    none
chat_message             missing                               none     none  none  none   none   none  none    none    none  none

chat_message:reply       public                                none     den   den   none   none   none  none    none    none  none
chat_message:reply       private                               den      den   den   den    none   none  den     den     den   none
chat_message:file        public                                none     den   den   none   none   none  none    none    none  none

typing                   public                                ok       ~     ~     ok     ok     ok    ok      ok      ok    ~
typing                   private                               ~        ~     ~     ~      ok     ok    ~       ~       ~     ~
typing                   added                                 ~        ok    ~     ~      ok     ok    ~       ~       ~     ~
typing                   archived,cut,missing                  ~        ~     ~     ~      ~      ~     ~       ~       ~     ~
typing                   direct                                ~        ~     ~     ~      ok     ok    ~       ~       ~     ~
typing                   guests                                ~        ok    ~     ~      ~      ~     ~       ~       ~     ~
typing                   linkeds                               ~        ~     ~     ok     ~      ~     ~       ~       ~     ~
typing                   support                               ~        ~     ~     ~      ok     ~     ~       ~       ok    ~
typing                   asks                                  ~        ok    ~     ~      ~      ~     ~       ~       ok    ~
typing                   linkasks                              ~        ~     ~     ok     ~      ~     ~       ~       ok    ~

leave_room               public,private,added,archived         ~        ~     ~     ~      ~      ~     ~       ~       ~     ~
leave_room               direct,cut,guests,linkeds             ~        ~     ~     ~      ~      ~     ~       ~       ~     ~
leave_room               support,closed                        ~        ~     ~     ~      ok     ~     ~       ~       ok    ~
leave_room               asks                                  ~        ok    ~     ~      ~      ~     ~       ~       ok    ~
leave_room               linkasks                              ~        ~     ~     ok     ~      ~     ~       ~       ok    ~
leave_room               missing                               ~        ~     ~     ~      ~      ~     ~       ~       ~     ~

mark_read                public                                den      den   den   den    ok     ok    den     den     den   none
mark_read                private,archived                      den      den   den   den    ok     ok    den     den     den   none
mark_read                added                                 den      ok    den   den    ok     ok    den     den     den   none
mark_read                direct                                den      den   den   den    ok     ok    den     den     den   none
mark_read                cut                                   den      den   den   den    den    ok    ok      den     den   none
mark_read                guests                                den      ok    den   den    den    den   den     den     den   none
mark_read                linkeds                               den      den   den   ok     den    den   den     den     den   none
mark_read                support,closed                        den      den   den   den    ok     den   den     den     ok    none
mark_read                asks                                  den      ok    den   den    den    den   den     den     ok    none
mark_read                linkasks                              den      den   den   ok     den    den   den     den     ok    none
mark_read                missing                               none     none  none  none   none   none  none    none    none  none

add_participant          public                                den      den   den   den    den    ok    den     den     den   none
add_participant          private,added                         den      den   den   den    den    ok    den     den     den   none
add_participant          archived                              den      den   den   den    den    arch  den     den     den   none
add_participant          direct,cut,support,closed             den      den   den   den    den    den   den     den     den   none
add_participant          guests                                den      den   den   den    den    den   den     den     den   none
add_participant          linkeds                               den      den   den   ok     den    den   den     den     den   none
add_participant          asks,linkasks                         den      den   den   den    den    den   den     den     den   none
add_participant          missing                               none     none  none  none   none   none  none    none    none  none
add_participant:blocked  public,private                        den      den   den   den    den    blk   den     den     den   none

remove_participant       public,private,added,archived         den      den   den   den    den    ok    den     den     den   none
remove_participant       direct,cut,support,closed             den      den   den   den    den    den   den     den     den   none
remove_participant       guests                                den      none  den   den    den    den   den     den     den   none
remove_participant       linkeds                               den      den   den   none   den    den   den     den     den   none
remove_participant       asks,linkasks                         den      den   den   den    den    den   den     den     den   none
remove_participant       missing                               none     none  none  none   none   none  none    none    none  none
remove_participant:self  public                                none     den   den   none   ok     last  none    none    none  none
remove_participant:self  private,archived                      den      den   den   den    ok     last  den     den     den   none
remove_participant:self  added                                 den      ok    den   den    ok     last  den     den     den   none
remove_participant:self  direct,cut,support,closed             den      den   den   den    den    den   den     den     den   none
remove_participant:self  guests                                den      last  den   den    den    den   den     den     den   none
remove_participant:self  linkeds                               den      den   den   last   den    den   den     den     den   none
remove_participant:self  asks,linkasks                         den      den   den   den    den    den   den     den     den   none
remove_participant:self  missing                               none     none  none  none   none   none  none    none    none  none

set_role                 public,private,added,archived         den      den   den   den    den    ok    den     den     den   none
set_role                 direct,cut,support,closed             den      den   den   den    den    den   den     den     den   none
set_role                 guests                                den      none  den   den    den    den   den     den     den   none
set_role                 linkeds                               den      den   den   none   den    den   den     den     den   none
set_role                 asks,linkasks                         den      den   den   den    den    den   den     den     den   none
set_role                 missing                               none     none  none  none   none   none  none    none    none  none
set_role:guest           added                                 den      den   den   den    den    den   den     den     den   none

rename_room              public,private,added                  den      den   den   den    den    ok    den     den     den   none
rename_room              archived                              den      den   den   den    den    arch  den     den     den   none
rename_room              direct,cut,support,closed             den      den   den   den    den    den   den     den     den   none
rename_room              guests                                den      ok    den   den    den    den   den     den     den   none
rename_room              linkeds                               den      den   den   ok     den    den   den     den     den   none
rename_room              asks,linkasks                         den      den   den   den    den    den   den     den     den   none
rename_room              missing                               none     none  none  none   none   none  none    none    none  none

archive_room             public,private,added                  den      den   den   den    den    ok    den     den     ok    none
archive_room             direct,cut,support,closed             den      den   den   den    den    den   den     den     den   none
archive_room             guests                                den      ok    den   den    den    den   den     den     ok    none
archive_room             linkeds                               den      den   den   ok     den    den   den     den     ok    none
archive_room             asks,linkasks                         den      den   den   den    den    den   den     den     den   none
archive_room             missing                               none     none  none  none   none   none  none    none    none  none
archive_room:back        archived                              den      den   den   den    den    ok    den     den     ok    none

create_room              -                                     ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
create_room:invite       somebody                              ok       den   den   ok     ok     ok    ok      ok      ok    ok
create_room:invite       owner                                 ok       den   den   ok     ok     ok    blk     ok      ok    ok
private_message          somebody                              ok       den   den   ok     ok     ok    ok      ok      ok    ok
private_message          owner                                 ok       den   den   ok     ok     inv   blk     ok      ok    ok
private_message          visitor                               ok       den   den   ok     ok     ok    ok      ok      ok    ok
block_user               somebody                              ok       none  none  ok     ok     ok    ok      ok      ok    ok
block_user               subject                               ok       ok    none  ok     ok     ok    ok      ok      ok    ok
block_user               oneself                               inv      inv   inv   inv    inv    inv   inv     inv     inv   inv
unblock_user             somebody,subject,oneself              ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
get_blocked_users        -                                     ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
get_user_conversations   -                                     ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
get_user_rooms           -                                     ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
search_users             -                                     ok       den   den   ok     ok     ok    ok      ok      ok    ok
search_rooms             -                                     ok       den   den   ok     ok     ok    ok      ok      ok    ok
authenticate             own                                   ok       unau  unau  ok     ok     ok    ok      ok      ok    ok
authenticate             anothers                              unau     ok    ok    unau   unau   unau  unau    unau    unau  unau
authenticate             foreigners,expired                    unau     unau  unau  unau   unau   unau  unau    unau    unau  unau

/support                                                       stranger guest other linked member owner blocked removed staff foreign
open_room                own                                   ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
get_room                 own                                   ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
chat_message             own                                   ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
typing                   own                                   ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
get_messages             own                                   ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
mark_read                own                                   ok       ok    ok    ok     ok     ok    ok      ok      ok    ok
close_room               own                                   ok       ok    ok    ok     ok     ok    ok      ok      ok    ok

chat_message             support                               den      den   den   den    ok     den   den     den     den   den
chat_message             closed                                den      den   den   den    clos   den   den     den     den   den
chat_message             asks                                  den      ok    den   den    den    den   den     den     den   den
chat_message             linkasks                              den      den   den   ok     den    den   den     den     den   den
chat_message             public,private,added,archived         den      den   den   den    den    den   den     den     den   den
chat_message             direct,cut,guests,linkeds,missing     den      den   den   den    den    den   den     den     den   den
typing                   support                               den      den   den   den    ok     den   den     den     den   den
typing                   closed                                den      den   den   den    ~      den   den     den     den   den
typing                   asks                                  den      ok    den   den    den    den   den     den     den   den
typing                   linkasks                              den      den   den   ok     den    den   den     den     den   den
typing                   public,private,added,archived         den      den   den   den    den    den   den     den     den   den
typing                   direct,cut,guests,linkeds,missing     den      den   den   den    den    den   den     den     den   den
get_messages             support,closed                        den      den   den   den    ok     den   den     den     den   den
get_messages             asks                                  den      ok    den   den    den    den   den     den     den   den
get_messages             linkasks                              den      den   den   ok     den    den   den     den     den   den
get_messages             public,private,added,archived         den      den   den   den    den    den   den     den     den   den
get_messages             direct,cut,guests,linkeds,missing     den      den   den   den    den    den   den     den     den   den
mark_read                support,closed                        den      den   den   den    ok     den   den     den     den   den
mark_read                asks                                  den      ok    den   den    den    den   den     den     den   den
mark_read                linkasks                              den      den   den   ok     den    den   den     den     den   den
mark_read                public,private,added,archived         den      den   den   den    den    den   den     den     den   den
mark_read                direct,cut,guests,linkeds,missing     den      den   den   den    den    den   den     den     den   den
close_room               support                               den      den   den   den    ok     den   den     den     den   den
close_room               closed                                den      den   den   den    ~      den   den     den     den   den
close_room               asks                                  den      ok    den   den    den    den   den     den     den   den
close_room               linkasks                              den      den   den   ok     den    den   den     den     den   den
close_room               public,private,added,archived         den      den   den   den    den    den   den     den     den   den
close_room               direct,cut,guests,linkeds,missing     den      den   den   den    den    den   den     den     den   den
authenticate             own                                   ok       unau  unau  ok     ok     ok    ok      ok      ok    ok
authenticate             anothers                              unau     ok    ok    unau   unau   unau  unau    unau    unau  unau
authenticate             foreigners,expired                    unau     unau  unau  unau   unau   unau  unau    unau    unau  unau

/admin                                                         staff foreign
admin_message            support,asks,linkasks                 ok    none
admin_message            closed                                clos  none
admin_message            public,private,added,archived         den   none
admin_message            direct,cut,guests,linkeds             den   none
admin_message            missing                               none  none
get_messages             support,closed,asks,linkasks          ok    none
get_messages             public,private,added,archived         den   none
get_messages             direct,cut,guests,linkeds             den   none
get_messages             missing                               none  none
mark_read                support,closed,asks,linkasks          ok    none
mark_read                public,private,added,archived         den   none
mark_read                direct,cut,guests,linkeds             den   none
mark_read                missing                               none  none
typing                   support,asks,linkasks                 ok    none
typing                   public,private,added,archived         den   none
typing                   direct,cut,guests,linkeds             den   none
typing                   missing                               none  none
view_room                support,closed,asks,linkasks          ok    none
view_room                public,private,added,archived         den   none
view_room                direct,cut,guests,linkeds             den   none
view_room                missing                               none  none
view_room:none           -                                     ok    ok
assign_room              support,asks,linkasks                 ok    none
assign_room              closed                                clos  none
assign_room              public,private,added,archived         den   none
assign_room              direct,cut,guests,linkeds             den   none
assign_room              missing                               none  none
assign_room:guest        support                               none  none
assign_room:foreigner    support                               none  none
close_room               support,asks,linkasks                 ok    none
close_room               closed                                ~     none
close_room               public,private,added,archived         den   none
close_room               direct,cut,guests,linkeds             den   none
close_room               missing                               none  none
get_rooms                -                                     ok    ok
authenticate             own                                   ok    ok
authenticate             anothers,foreigners,expired           unau  unau

HTTP                                                           stranger guest other linked member owner blocked removed staff foreign nobody expired disabled
GET_/me                             -                          ok       ok    ok    ok     ok     ok    ok      ok      ok    ok      unau   unau    dis
POST_/guest-sessions/link           -                          none     unau  unau  none   none   none  none    none    none  none    unau   unau    dis
GET_/admin/users/{user_id}          subject                    forb     forb  forb  forb   forb   forb  forb    forb    ok    none    unau   unau    dis
POST_/admin/users/{user_id}/revoke  subject                    forb     forb  forb  forb   forb   forb  forb    forb    ok    ~       unau   unau    dis
POST_/admin/users/{user_id}/disable subject                    forb     forb  forb  forb   forb   forb  forb    forb    ok    ~       unau   unau    dis
POST_/admin/users/{user_id}/enable  subject                    forb     forb  forb  forb   forb   forb  forb    forb    ok    ~       unau   unau    dis
GET_/admin/audit                    -                          forb     forb  forb  forb   forb   forb  forb    forb    ok    ok      unau   unau    dis
`;

/** `[{namespace, command, way, target, cells: Map(caller → code)}]`, a row for each target. */
export const ROWS = parse(TABLE);

function parse(table) {
  const rows = [];
  let [namespace, callers] = ['', []];
  let isHead = true;
  for (const line of table.split('\n')) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '') {
      isHead = true;
    } else if (isHead && /^(connect|HTTP|\/\S*)$/.test(words[0]) && words[1] !== '-') {
      [namespace, ...callers] = words;
      isHead = false;
    } else {
      isHead = false;
      rows.push(...rowsOf(namespace, callers, words));
    }
  }
  return rows;
}

function rowsOf(namespace, callers, [asked, targets, ...codes]) {
  if (codes.length !== callers.length) throw new Error(`${namespace} ${asked} ${targets} has ${codes.length} cells`);
  for (const code of codes) if (!(code in CODES)) throw new Error(`${asked} ${targets}: no code is called ${code}`);
  const [command, way = ''] = asked.replace('_/', ' /').split(':');
  const cells = new Map(callers.map((caller, i) => [caller, codes[i]]));
  return targets.split(',').map((target) => ({ namespace, command, way, target, cells }));
}

/** What the table says of one cell; undefined where it has no such row. */
export function cell(namespace, command, target, caller) {
  return ROWS.find((row) => row.namespace === namespace && row.command === command && row.way === '' && row.target === target)?.cells.get(caller);
}

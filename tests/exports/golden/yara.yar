// cybex export: yara
// from: alpha/indicators, for: aa
// made: 2026-11-22T12:00:00Z
// indicator--6f282c2f-6cf6-51a3-8143-db366c7992d4 TLP:AMBER
rule wellmess { strings: $a = "}" // not the end
  condition: $a }
// TLP:AMBER is the strictest marking of what is in here: handle the whole accordingly
// entries: 1
// left out, anomalous only: 1
// left out, benign: 1
// left out, expired: 1
// left out, not valid yet: 1
// left out, pap: 1
// left out, pattern in another language: 18
// left out, revoked: 1
// end of list, 1 entries

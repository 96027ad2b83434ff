"""What the last part of a dotted name tells: a file, or a host."""

from __future__ import annotations

from typing import Final

_FILES = (
    "7z apk asp aspx avi bak bat bin bmp bz2 cab cfg chm class cmd conf cpl csv dat db deb dll dmg doc docm docx"
    " dot dotm elf eml exe gif gz hta htm html ico img ini ipa iso jar jpeg jpg js jse json jsp lnk log mov mp3"
    " mp4 msg msi msp ocx odt one ost pdf php pif png pot potm pps ppsx ppt pptm pptx ps1 psm1 pst pyc rar rpm rtf"
    " scr sct sql sqlite svg swf sys tar tgz tmp txt vbe vbs vhd vhdx wsf xls xlsb xlsm xlsx xlt xml xz yaml yml"
    " zip"
)

FILE_EXTENSIONS: Final = frozenset(_FILES.split())
"""What a file is taken by. Endings that are country codes first (pl, py, sh, so, com) are left to names of hosts."""

# ISO 3166-1, and ac, eu, su, uk, which the root zone has besides.
_COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca"
    " cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo"
    " fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je"
    " jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo"
    " mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt"
    " pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk"
    " tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)

# The old generic names, and the newer ones that lists of malicious names are full of.
_GENERIC = (
    "aero arpa asia biz cat com coop edu gov info int jobs mil mobi museum name net onion org post pro tel travel"
    " xxx academy accountant agency app art bank bar bet bid blog bond business buzz cam center cfd city click"
    " cloud club codes company cool country cricket cyou date design dev digital direct download email expert"
    " faith finance fit fun gallery game games gdn global group guru help homes host hosting icu ink kim lat life"
    " link live loan lol ltd market marketing media men mobile moe mom monster network news ninja one online page"
    " party photo photos pics pink plus press pub quest racing red rest review reviews rocks run sale sbs science"
    " security services shop site skin social software solutions space store stream studio support surf systems"
    " team tech technology tips today tokyo tools top town trade trading uno vip wang webcam website wiki win work"
    " works world wtf xin xyz yachts zone"
)

LIKELY_ENDINGS: Final = frozenset(_COUNTRIES.split()) | frozenset(_GENERIC.split())
"""Where the last label is one of these, a dotted word in a sentence is taken for a host name. It is no list of all."""

/// The looks and the few movements of the report's page, which loads nothing.
enum ReportStyle {
  static let css = """
    :root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--ink:#14181f;--soft:#5a6472;--rule:#e2e6eb;--good:#0b7a4b;\
    --good-soft:#e3f5ec;--bad:#b42318;--bad-soft:#fdeceb;--c1:#2563eb;--c2:#d97706;--c3:#be185d;--c4:#0f766e}
    @media (prefers-color-scheme:dark){:root{--page:#0e1116;--card:#171b22;--ink:#e8ebf0;--soft:#9aa5b4;--rule:#2a313b;\
    --good:#4ade9b;--good-soft:#12301f;--bad:#ff8a80;--bad-soft:#3a1614;--c1:#7aa8ff;--c2:#f5b04c;--c3:#f47fb5;--c4:#4fd1c1}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
    main{max-width:1180px;margin:0 auto;padding:32px 20px 64px}
    header{display:flex;flex-wrap:wrap;gap:12px 24px;align-items:center;justify-content:space-between;margin-bottom:24px}
    .brand{color:var(--soft);font-size:13px;letter-spacing:.06em;text-transform:uppercase;margin:0}
    h1{font-size:30px;line-height:1.2;margin:2px 0 4px;letter-spacing:-.02em}
    h2{font-size:18px;margin:36px 0 12px;letter-spacing:-.01em}
    h3{font-size:14px;margin:0}
    p{margin:0 0 8px}
    .meta{color:var(--soft);margin:0}
    .verdict{display:flex;align-items:center;gap:10px;padding:10px 18px;border-radius:999px;font-weight:650;font-size:17px}
    .verdict svg,.check svg{width:20px;height:20px;flex:none;fill:none;stroke:currentColor;stroke-width:2.4;\
    stroke-linecap:round;stroke-linejoin:round}
    .pass{background:var(--good-soft);color:var(--good)} .fail{background:var(--bad-soft);color:var(--bad)}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:12px;padding:0;margin:0}
    .tile,.card{background:var(--card);border:1px solid var(--rule);border-radius:14px}
    .tile{padding:14px 16px}
    .tile dt{color:var(--soft);font-size:13px}
    .tile dd{margin:2px 0 0;font-size:25px;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
    .tile dd small{display:block;font-size:13px;font-weight:400;color:var(--soft);letter-spacing:0}
    .grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:14px}
    .card{padding:16px;margin:0;min-width:0}
    .wide{grid-column:1/-1}
    figcaption{display:flex;flex-wrap:wrap;gap:4px 16px;justify-content:space-between;align-items:baseline;margin-bottom:6px}
    figcaption .unit{color:var(--soft);font-weight:400}
    figure svg{display:block;width:100%;height:auto;overflow:visible;border-radius:6px}
    figure svg:focus-visible{outline:2px solid var(--c1);outline-offset:4px}
    .legend{display:flex;flex-wrap:wrap;gap:2px 14px;list-style:none;padding:0;margin:0;font-size:13px;color:var(--soft)}
    .swatch{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px;background:var(--c)}
    .c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}
    .line{fill:none;stroke:var(--c);stroke-width:1.8;stroke-linejoin:round;vector-effect:non-scaling-stroke}
    .area{fill:var(--c);opacity:.13}.dot,.bar{fill:var(--c)}.bar:hover{opacity:.75}
    line.grid{stroke:var(--rule);stroke-width:1}line.axis{stroke:var(--soft);stroke-width:1}
    line.mark{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 4;opacity:.7}
    line.cross{stroke:var(--ink);stroke-width:1;display:none}line.cross.on{display:inline}
    text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--soft);font-variant-numeric:tabular-nums}
    text.marker{font-size:11px;fill:var(--ink)}
    output{display:block;min-height:20px;font-size:13px;color:var(--soft);font-variant-numeric:tabular-nums}
    table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
    th,td{text-align:left;padding:8px 10px;border-bottom:1px solid var(--rule);vertical-align:top}
    thead th{color:var(--soft);font-weight:500;font-size:13px}
    tbody tr:last-child>*{border-bottom:0}
    th[scope=row]{font-weight:500}
    .number{text-align:right}
    .check{width:34px}.check.yes{color:var(--good)}.check.no{color:var(--bad)}
    .soft{color:var(--soft)}
    .scroll{overflow-x:auto}
    .cases{border-color:var(--bad);margin-bottom:14px}
    .cases li{margin:4px 0;overflow-wrap:anywhere}
    pre,code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
    pre{background:var(--page);border:1px solid var(--rule);border-radius:8px;padding:10px 12px;overflow-x:auto;margin:0 0 10px}
    summary{cursor:pointer;padding:6px 0}
    .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
    footer{margin-top:40px;color:var(--soft);font-size:13px}
    @media print{body{background:#fff}.tile,.card{break-inside:avoid}details{display:none}}
    """

  /// Shows the values under the pointer, or under a cursor that the arrow keys move. Without it the page lacks nothing else.
  static let script = """
    const data=JSON.parse(document.getElementById("timeline").textContent);
    const short=v=>v==null?"–":v>=1e6?(v/1e6).toFixed(1)+"M":v>=1e4?(v/1e3).toFixed(1)+"k":v>=100?v.toFixed(0):v.toFixed(2);
    for(const figure of document.querySelectorAll("figure[data-keys]")){
      const svg=figure.querySelector("svg"),cross=svg.querySelector(".cross"),out=figure.querySelector("output");
      const keys=figure.dataset.keys.split("|"),names=figure.dataset.names.split("|"),unit=figure.dataset.unit;
      const left=+figure.dataset.left,right=+figure.dataset.right,end=data.seconds[data.seconds.length-1]||1;
      let index=-1;
      const show=i=>{
        index=Math.max(0,Math.min(data.seconds.length-1,i));
        const x=left+(right-left)*data.seconds[index]/end;
        cross.setAttribute("x1",x);cross.setAttribute("x2",x);cross.classList.add("on");
        out.textContent=data.seconds[index].toFixed(1)+" s: "
          +keys.map((k,n)=>names[n]+" "+short(data[k][index])).join(", ")+" "+unit;
      };
      const hide=()=>{cross.classList.remove("on");out.textContent="";index=-1};
      svg.setAttribute("tabindex","0");
      svg.addEventListener("pointermove",e=>{
        const box=svg.getBoundingClientRect(),x=(e.clientX-box.left)/box.width*svg.viewBox.baseVal.width;
        const t=(x-left)/(right-left)*end;
        let best=0;
        data.seconds.forEach((s,i)=>{if(Math.abs(s-t)<Math.abs(data.seconds[best]-t))best=i});
        show(best);
      });
      svg.addEventListener("pointerleave",hide);
      svg.addEventListener("blur",hide);
      svg.addEventListener("keydown",e=>{
        const step={ArrowLeft:-1,ArrowRight:1,PageUp:-10,PageDown:10}[e.key];
        if(step){show(index+step);e.preventDefault()}else if(e.key==="Home"){show(0);e.preventDefault()}
        else if(e.key==="End"){show(1e9);e.preventDefault()}
      });
    }
    """
}

<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>AboutDialog</name>
    <message>
        <source>About FaceFusion Live</source>
        <translation>关于 FaceFusion Live</translation>
    </message>
    <message>
        <source>Version {0}, Apache-2.0. Drawn by Qt {1}, used under the LGPL-3.0.</source>
        <translation>版本 {0}，Apache-2.0 许可。界面由 Qt {1} 绘制，按 LGPL-3.0 使用。</translation>
    </message>
    <message>
        <source>Swapped faces are for people who agreed. What was done here is on record.</source>
        <translation>换脸只用于本人同意的场合；在此所做的一切都有记录。</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>AddressLine</name>
    <message>
        <source>Address of the browser source</source>
        <translation>浏览器源的地址</translation>
    </message>
    <message>
        <source>Copy the address. Whoever has it, on this computer, sees the pictures.</source>
        <translation>复制地址。在本机上，拥有该地址的人都能看到画面。</translation>
    </message>
</context>
<context>
    <name>ApprovalOffDialog</name>
    <message>
        <source>No second person any more</source>
        <translation>不再需要第二人</translation>
    </message>
    <message>
        <source>Should consents hold without a second person&apos;s approval?</source>
        <translation>是否让同意无需第二人批准即可生效？</translation>
    </message>
</context>
<context>
    <name>Audit</name>
    <message>
        <source>done</source>
        <translation>成功</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>denied</source>
        <translation>拒绝</translation>
    </message>
    <message>
        <source>No row was changed</source>
        <translation>没有记录被改动</translation>
    </message>
    <message>
        <source>The signatures are right</source>
        <translation>签名正确</translation>
    </message>
    <message>
        <source>No row is missing at the end</source>
        <translation>末尾没有缺失记录</translation>
    </message>
    <message>
        <source>Copies kept elsewhere agree</source>
        <translation>与他处保存的副本一致</translation>
    </message>
    <message>
        <source>intact</source>
        <translation>完好</translation>
    </message>
    <message>
        <source>tampered with</source>
        <translation>被篡改</translation>
    </message>
    <message>
        <source>cut short</source>
        <translation>被截断</translation>
    </message>
    <message>
        <source>cannot be told</source>
        <translation>无法判断</translation>
    </message>
    <message>
        <source>not checked</source>
        <translation>未检查</translation>
    </message>
    <message>
        <source>Damaged: {why}</source>
        <translation>已损坏：{why}</translation>
    </message>
    <message>
        <source>Settings changed</source>
        <translation>设置已更改</translation>
    </message>
    <message>
        <source>Governor</source>
        <translation>调节器</translation>
    </message>
    <message>
        <source>Frame failed</source>
        <translation>帧处理失败</translation>
    </message>
    <message>
        <source>Session started</source>
        <translation>会话开始</translation>
    </message>
    <message>
        <source>Session ended</source>
        <translation>会话结束</translation>
    </message>
    <message>
        <source>Face loaded</source>
        <translation>人脸已载入</translation>
    </message>
    <message>
        <source>Model loaded</source>
        <translation>模型已载入</translation>
    </message>
    <message>
        <source>Consent given</source>
        <translation>已给予同意</translation>
    </message>
    <message>
        <source>Consent denied</source>
        <translation>未获同意</translation>
    </message>
    <message>
        <source>Consent taken back</source>
        <translation>同意已撤回</translation>
    </message>
    <message>
        <source>Person enrolled</source>
        <translation>已登记人脸</translation>
    </message>
    <message>
        <source>Person forgotten</source>
        <translation>已删除人脸</translation>
    </message>
    <message>
        <source>Pass-through armed</source>
        <translation>直通已启用</translation>
    </message>
    <message>
        <source>Pass-through disarmed</source>
        <translation>直通已停用</translation>
    </message>
    <message>
        <source>Label on</source>
        <translation>标识已开启</translation>
    </message>
    <message>
        <source>Label off</source>
        <translation>标识已关闭</translation>
    </message>
    <message>
        <source>Nudity check on</source>
        <translation>裸露检查已开启</translation>
    </message>
    <message>
        <source>Nudity check off</source>
        <translation>裸露检查已关闭</translation>
    </message>
    <message>
        <source>Scene withheld</source>
        <translation>场景已遮挡</translation>
    </message>
    <message>
        <source>Scene shown again</source>
        <translation>场景恢复显示</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>Record exported</source>
        <translation>记录已导出</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>是</translation>
    </message>
    <message>
        <source>no</source>
        <translation>否</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Demo clip</source>
        <translation>演示短片</translation>
    </message>
    <message>
        <source>Script</source>
        <translation>脚本</translation>
    </message>
    <message>
        <source>Face</source>
        <translation>人脸</translation>
    </message>
    <message>
        <source>Consent</source>
        <translation>同意</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>引擎</translation>
    </message>
    <message>
        <source>Operator&apos;s code</source>
        <translation>操作员验证码</translation>
    </message>
    <message>
        <source>Gate</source>
        <translation>安全闸</translation>
    </message>
    <message>
        <source>Label</source>
        <translation>标识</translation>
    </message>
    <message>
        <source>Invisible mark</source>
        <translation>隐形标记</translation>
    </message>
    <message>
        <source>Nudity check</source>
        <translation>裸露检查</translation>
    </message>
    <message>
        <source>The record</source>
        <translation>审计记录</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>Clock</source>
        <translation>时钟</translation>
    </message>
    <message>
        <source>Other</source>
        <translation>其他</translation>
    </message>
    <message>
        <source>frames/s</source>
        <translation>帧/秒</translation>
    </message>
    <message>
        <source>picture</source>
        <translation>画面</translation>
    </message>
    <message>
        <source>opacity</source>
        <translation>不透明度</translation>
    </message>
    <message>
        <source>offline</source>
        <translation>离线</translation>
    </message>
    <message>
        <source>composed by</source>
        <translation>合成方式</translation>
    </message>
    <message>
        <source>left out</source>
        <translation>已去掉</translation>
    </message>
    <message>
        <source>frames in</source>
        <translation>输入帧数</translation>
    </message>
    <message>
        <source>frames out</source>
        <translation>输出帧数</translation>
    </message>
    <message>
        <source>leaks</source>
        <translation>泄漏</translation>
    </message>
    <message>
        <source>frame</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>face in it</source>
        <translation>其中人脸</translation>
    </message>
    <message>
        <source>photo</source>
        <translation>照片</translation>
    </message>
    <message>
        <source>stage</source>
        <translation>阶段</translation>
    </message>
    <message>
        <source>error</source>
        <translation>错误</translation>
    </message>
    <message>
        <source>µs</source>
        <translation>微秒</translation>
    </message>
    <message>
        <source>phase</source>
        <translation>时点</translation>
    </message>
    <message>
        <source>in a row</source>
        <translation>连续次数</translation>
    </message>
    <message>
        <source>revision</source>
        <translation>修订</translation>
    </message>
    <message>
        <source>from rung</source>
        <translation>从第几级</translation>
    </message>
    <message>
        <source>to rung</source>
        <translation>到第几级</translation>
    </message>
    <message>
        <source>which is</source>
        <translation>即</translation>
    </message>
    <message>
        <source>model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>made from</source>
        <translation>由此制成</translation>
    </message>
    <message>
        <source>SHA-256 of the model</source>
        <translation>模型的 SHA-256</translation>
    </message>
    <message>
        <source>SHA-256 of the picture</source>
        <translation>图片的 SHA-256</translation>
    </message>
    <message>
        <source>SHA-256 of the file</source>
        <translation>文件的 SHA-256</translation>
    </message>
    <message>
        <source>SHA-256 of the document</source>
        <translation>文书的 SHA-256</translation>
    </message>
    <message>
        <source>SHA-256 of the archive</source>
        <translation>归档的 SHA-256</translation>
    </message>
    <message>
        <source>consent</source>
        <translation>同意依据</translation>
    </message>
    <message>
        <source>because</source>
        <translation>依据</translation>
    </message>
    <message>
        <source>person</source>
        <translation>人物</translation>
    </message>
    <message>
        <source>number of the consent</source>
        <translation>同意编号</translation>
    </message>
    <message>
        <source>approved by a second person</source>
        <translation>已由第二人批准</translation>
    </message>
    <message>
        <source>a second person was asked for</source>
        <translation>要求第二人批准</translation>
    </message>
    <message>
        <source>kept by hand</source>
        <translation>手动登记</translation>
    </message>
    <message>
        <source>until</source>
        <translation>截止</translation>
    </message>
    <message>
        <source>reason</source>
        <translation>理由</translation>
    </message>
    <message>
        <source>bytes</source>
        <translation>字节</translation>
    </message>
    <message>
        <source>signed manifest</source>
        <translation>签名清单</translation>
    </message>
    <message>
        <source>AIGC label</source>
        <translation>AIGC 标识</translation>
    </message>
    <message>
        <source>number of the AIGC label</source>
        <translation>AIGC 标识编号</translation>
    </message>
    <message>
        <source>number of the key</source>
        <translation>密钥编号</translation>
    </message>
    <message>
        <source>public key</source>
        <translation>公钥</translation>
    </message>
    <message>
        <source>key before</source>
        <translation>前一密钥</translation>
    </message>
    <message>
        <source>first key</source>
        <translation>首个密钥</translation>
    </message>
    <message>
        <source>rows not sealed until then</source>
        <translation>此前未封存的记录</translation>
    </message>
    <message>
        <source>did not end</source>
        <translation>未正常结束</translation>
    </message>
    <message>
        <source>kept as</source>
        <translation>另存为</translation>
    </message>
    <message>
        <source>what</source>
        <translation>对象</translation>
    </message>
    <message>
        <source>in all</source>
        <translation>合计</translation>
    </message>
    <message>
        <source>rows that are gone</source>
        <translation>行已丢失</translation>
    </message>
    <message>
        <source>of the log</source>
        <translation>所属日志</translation>
    </message>
    <message>
        <source>in place of the log</source>
        <translation>所取代的日志</translation>
    </message>
    <message>
        <source>digest</source>
        <translation>摘要</translation>
    </message>
    <message>
        <source>filter</source>
        <translation>筛选</translation>
    </message>
    <message>
        <source>moved by ms</source>
        <translation>偏移毫秒</translation>
    </message>
    <message>
        <source>up to row</source>
        <translation>至第几条记录</translation>
    </message>
    <message>
        <source>archive</source>
        <translation>归档</translation>
    </message>
    <message>
        <source>last hash</source>
        <translation>末条哈希</translation>
    </message>
    <message>
        <source>root</source>
        <translation>根哈希</translation>
    </message>
    <message>
        <source>checkpoints</source>
        <translation>检查点</translation>
    </message>
    <message>
        <source>as it stands there</source>
        <translation>原文</translation>
    </message>
    <message>
        <source>start</source>
        <translation>开始</translation>
    </message>
    <message>
        <source>end</source>
        <translation>结束</translation>
    </message>
    <message>
        <source>the first one</source>
        <translation>首份日志</translation>
    </message>
    <message>
        <source>a second program</source>
        <translation>第二个程序</translation>
    </message>
    <message>
        <source>the one before was rolled back</source>
        <translation>前一份被回退</translation>
    </message>
    <message>
        <source>the one before was replaced</source>
        <translation>前一份被替换</translation>
    </message>
    <message>
        <source>the one before was damaged</source>
        <translation>前一份已损坏</translation>
    </message>
    <message>
        <source>the key was lost</source>
        <translation>密钥丢失</translation>
    </message>
    <message>
        <source>the file has changed since it came</source>
        <translation>文件与取得时不同</translation>
    </message>
    <message>
        <source>daily files</source>
        <translation>每日文件</translation>
    </message>
    <message>
        <source>too few frames</source>
        <translation>帧数不足</translation>
    </message>
    <message>
        <source>too late</source>
        <translation>太迟</translation>
    </message>
    <message>
        <source>too much of the processor</source>
        <translation>占用处理器过多</translation>
    </message>
    <message>
        <source>graphics memory short</source>
        <translation>显存不足</translation>
    </message>
    <message>
        <source>memory short</source>
        <translation>内存不足</translation>
    </message>
    <message>
        <source>there is room again</source>
        <translation>又有余量</translation>
    </message>
    <message>
        <source>the governor was switched off</source>
        <translation>调节器已关闭</translation>
    </message>
    <message>
        <source>recognising less often</source>
        <translation>减少识别次数</translation>
    </message>
    <message>
        <source>no pixel boost</source>
        <translation>不用像素增强</translation>
    </message>
    <message>
        <source>no enhancer</source>
        <translation>不用增强网络</translation>
    </message>
    <message>
        <source>masks every second picture</source>
        <translation>每两帧算一次遮罩</translation>
    </message>
    <message>
        <source>mesh not refined</source>
        <translation>网格不细化</translation>
    </message>
    <message>
        <source>crops of 512 px</source>
        <translation>裁切 512 像素</translation>
    </message>
    <message>
        <source>crops of 384 px</source>
        <translation>裁切 384 像素</translation>
    </message>
    <message>
        <source>crops of 256 px</source>
        <translation>裁切 256 像素</translation>
    </message>
    <message>
        <source>hands painted over</source>
        <translation>手被盖住</translation>
    </message>
    <message>
        <source>the session ended</source>
        <translation>会话结束</translation>
    </message>
    <message>
        <source>valid</source>
        <translation>有效</translation>
    </message>
    <message>
        <source>broken</source>
        <translation>无效</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>label</source>
        <translation>标识</translation>
    </message>
    <message>
        <source>invisible mark</source>
        <translation>隐形标记</translation>
    </message>
    <message>
        <source>processor</source>
        <translation>处理器</translation>
    </message>
    <message>
        <source>graphics device</source>
        <translation>图形设备</translation>
    </message>
    <message>
        <source>all</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>Repeats left out</source>
        <translation>略去重复</translation>
    </message>
    <message>
        <source>Gap in the record</source>
        <translation>记录有缺口</translation>
    </message>
    <message>
        <source>Files beside the record</source>
        <translation>记录之外的文件</translation>
    </message>
    <message>
        <source>Old rows archived</source>
        <translation>旧记录已归档</translation>
    </message>
    <message>
        <source>Record begun</source>
        <translation>记录开始</translation>
    </message>
    <message>
        <source>New key</source>
        <translation>新密钥</translation>
    </message>
    <message>
        <source>Clock changed</source>
        <translation>时钟变更</translation>
    </message>
</context>
<context>
    <name>AuditFilter</name>
    <message>
        <source>Any time</source>
        <translation>任何时间</translation>
    </message>
    <message>
        <source>Last 15 minutes</source>
        <translation>最近 15 分钟</translation>
    </message>
    <message>
        <source>Last hour</source>
        <translation>最近一小时</translation>
    </message>
    <message>
        <source>Last day</source>
        <translation>最近一天</translation>
    </message>
    <message>
        <source>Last week</source>
        <translation>最近一周</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>Sessions</source>
        <translation>会话</translation>
    </message>
    <message>
        <source>Consent</source>
        <translation>同意</translation>
    </message>
    <message>
        <source>Pass-through</source>
        <translation>直通</translation>
    </message>
    <message>
        <source>Recordings, exports</source>
        <translation>录制与导出</translation>
    </message>
    <message>
        <source>The record itself</source>
        <translation>记录本身</translation>
    </message>
    <message>
        <source>Any result</source>
        <translation>任何结果</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>What</source>
        <translation>事件</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>Session</source>
        <translation>会话</translation>
    </message>
    <message>
        <source>All sessions</source>
        <translation>所有会话</translation>
    </message>
    <message>
        <source>Last session</source>
        <translation>上一次会话</translation>
    </message>
</context>
<context>
    <name>AuditPanel</name>
    <message>
        <source>stored: {count}</source>
        <translation>已存：{count}</translation>
    </message>
    <message>
        <source>repeats left out: {count}</source>
        <translation>略去重复：{count}</translation>
    </message>
    <message>
        <source>lost: {count}</source>
        <translation>丢失：{count}</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>验证</translation>
    </message>
    <message>
        <source>Check every row, every signature, and that nothing is missing.</source>
        <translation>检查每一条记录和每个签名，并确认没有缺失。</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>A zip that anyone can check; the export is put on record.</source>
        <translation>任何人都可核验的 zip 文件；导出操作会被记录。</translation>
    </message>
    <message>
        <source>Only what is shown</source>
        <translation>仅导出当前显示</translation>
    </message>
    <message>
        <source>Export the rows that pass the filters, each with its proof.</source>
        <translation>导出通过筛选的记录，每条附带证明。</translation>
    </message>
    <message>
        <source>Unlock</source>
        <translation>解锁</translation>
    </message>
    <message>
        <source>Operator&apos;s code</source>
        <translation>操作员验证码</translation>
    </message>
    <message>
        <source>Without it, only your own rows are shown.</source>
        <translation>没有验证码时只显示你自己的记录。</translation>
    </message>
    <message>
        <source>The record</source>
        <translation>审计记录</translation>
    </message>
    <message>
        <source>At work</source>
        <translation>处理中</translation>
    </message>
    <message>
        <source>Row {seq}</source>
        <translation>第 {seq} 条</translation>
    </message>
    <message>
        <source>Export the record</source>
        <translation>导出记录</translation>
    </message>
    <message>
        <source>Exported to {name}</source>
        <translation>已导出到 {name}</translation>
    </message>
    <message>
        <source>Rows in it: {count}</source>
        <translation>包含记录：{count}</translation>
    </message>
    <message>
        <source>Everyone&apos;s rows are shown.</source>
        <translation>正在显示所有人的记录。</translation>
    </message>
</context>
<context>
    <name>Banner</name>
    <message>
        <source>Dismiss</source>
        <translation>知道了</translation>
    </message>
</context>
<context>
    <name>CameraPanel</name>
    <message>
        <source>{fps} frames/s</source>
        <translation>{fps} 帧/秒</translation>
    </message>
    <message>
        <source>Demo clip</source>
        <translation>演示短片</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>使用中</translation>
    </message>
    <message>
        <source>Chosen</source>
        <translation>已选</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>File, stream, demo</source>
        <translation>文件、流、演示</translation>
    </message>
    <message>
        <source>Look for cameras again</source>
        <translation>重新查找摄像头</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>格式</translation>
    </message>
    <message>
        <source>Use this camera</source>
        <translation>使用此摄像头</translation>
    </message>
    <message>
        <source>No camera was found. Plug one in and look again, or try the demo clip.</source>
        <translation>没有找到摄像头。请接上后重新查找，或先试演示短片。</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>文件…</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Address of a stream</source>
        <translation>流地址</translation>
    </message>
    <message>
        <source>Used lately</source>
        <translation>最近使用</translation>
    </message>
    <message>
        <source>Apply now</source>
        <translation>立即应用</translation>
    </message>
    <message>
        <source>Opens the input again with these; the outputs go on.</source>
        <translation>按这些设置重新打开输入，输出不中断。</translation>
    </message>
    <message>
        <source>Open a film or a picture</source>
        <translation>打开视频或图片</translation>
    </message>
</context>
<context>
    <name>CodeDialog</name>
    <message>
        <source>Operator&apos;s code</source>
        <translation>操作员验证码</translation>
    </message>
    <message>
        <source>Six digits</source>
        <translation>六位数字</translation>
    </message>
    <message>
        <source>The second person reads it from their authenticator app. Each try goes on record.</source>
        <translation>由第二人从其身份验证器应用中读取。每次尝试都会留下记录。</translation>
    </message>
    <message>
        <source>Confirm</source>
        <translation>确认</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
</context>
<context>
    <name>ConsentCard</name>
    <message>
        <source>It is my own face</source>
        <translation>这是我自己的脸</translation>
    </message>
    <message>
        <source>The person agreed in writing</source>
        <translation>本人已书面同意</translation>
    </message>
    <message>
        <source>I have a licence for the pictures</source>
        <translation>我有这些图片的使用许可</translation>
    </message>
    <message>
        <source>Generated: it shows nobody real</source>
        <translation>生成的图像，不是真人</translation>
    </message>
    <message>
        <source>Public domain</source>
        <translation>公有领域</translation>
    </message>
    <message>
        <source>Why may this face be used?</source>
        <translation>为什么可以使用这张脸？</translation>
    </message>
    <message>
        <source>{names} and {more} more</source>
        <translation>{names} 等另外 {more} 个</translation>
    </message>
    <message>
        <source>All of them show one person</source>
        <translation>都是同一个人</translation>
    </message>
    <message>
        <source>Your answer is put on record.</source>
        <translation>你的回答会被记录。</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
</context>
<context>
    <name>Controls</name>
    <message>
        <source>Start</source>
        <translation>开始</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>What is shown over the picture; it never goes out</source>
        <translation>叠加在画面上的信息，绝不会输出</translation>
    </message>
    <message>
        <source>Overlays</source>
        <translation>叠加显示</translation>
    </message>
</context>
<context>
    <name>Deeds</name>
    <message>
        <source>Start or stop</source>
        <translation>开始或停止</translation>
    </message>
    <message>
        <source>Panic: show the slate at once</source>
        <translation>紧急：立即显示遮挡画面</translation>
    </message>
    <message>
        <source>Resume after panic</source>
        <translation>紧急后恢复</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>Pause recording</source>
        <translation>暂停录制</translation>
    </message>
    <message>
        <source>Snapshot</source>
        <translation>截图</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>适应窗口</translation>
    </message>
    <message>
        <source>Fill</source>
        <translation>填满窗口</translation>
    </message>
    <message>
        <source>Actual pixels</source>
        <translation>实际像素</translation>
    </message>
    <message>
        <source>Compare before and after</source>
        <translation>前后对比</translation>
    </message>
    <message>
        <source>Mirror my view</source>
        <translation>镜像预览</translation>
    </message>
    <message>
        <source>Freeze my view</source>
        <translation>冻结预览</translation>
    </message>
    <message>
        <source>Boxes</source>
        <translation>人脸框</translation>
    </message>
    <message>
        <source>Mesh</source>
        <translation>网格</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>遮罩</translation>
    </message>
    <message>
        <source>Seam</source>
        <translation>接缝</translation>
    </message>
    <message>
        <source>Figures</source>
        <translation>数据</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>全屏</translation>
    </message>
    <message>
        <source>Show or hide all panels</source>
        <translation>显示或隐藏全部面板</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
</context>
<context>
    <name>Destinations</name>
    <message>
        <source>The pictures go to this window only.</source>
        <translation>画面只显示在本窗口。</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Address of an output</source>
        <translation>输出地址</translation>
    </message>
    <message>
        <source>Virtual camera</source>
        <translation>虚拟摄像头</translation>
    </message>
    <message>
        <source>Virtual microphone</source>
        <translation>虚拟麦克风</translation>
    </message>
    <message>
        <source>Browser source</source>
        <translation>浏览器源</translation>
    </message>
    <message>
        <source>Stream</source>
        <translation>推流</translation>
    </message>
</context>
<context>
    <name>Differences</name>
    <message>
        <source>Nothing: it is in force.</source>
        <translation>没有差别：正在使用。</translation>
    </message>
</context>
<context>
    <name>Engine</name>
    <message>
        <source>on record</source>
        <translation>正在记录</translation>
    </message>
    <message>
        <source>demo clip</source>
        <translation>演示短片</translation>
    </message>
    <message>
        <source>only {} MiB of memory are free: close other programs</source>
        <translation>只剩 {} MiB 空闲内存：请关闭其他程序</translation>
    </message>
    <message>
        <source>the graphics card has {} MiB of memory left: close other programs that use it, or lower swap.max_crop_px</source>
        <translation>显卡只剩 {} MiB 显存：请关闭占用显存的其他程序，或调低 swap.max_crop_px</translation>
    </message>
    <message>
        <source>the recording&apos;s disk has {} MiB left, about {} min: make room, or stop in time</source>
        <translation>录制所在的磁盘只剩 {} MiB，约 {} 分钟：请腾出空间，或及时停止</translation>
    </message>
    <message>
        <source>the recording&apos;s disk has {} MiB left: make room, or stop in time</source>
        <translation>录制所在的磁盘只剩 {} MiB：请腾出空间，或及时停止</translation>
    </message>
    <message>
        <source>this machine swaps {} of {} frames/s: ask the camera for fewer or smaller pictures, or lower swap.max_crop_px</source>
        <translation>这台电脑每秒只能换脸 {} 帧（共 {} 帧）：请降低摄像头的帧率或尺寸，或调低 swap.max_crop_px</translation>
    </message>
    <message>
        <source>pictures come out {} ms late: lower swap.max_crop_px or the size of the camera&apos;s picture</source>
        <translation>画面延迟 {} 毫秒：请调低 swap.max_crop_px 或摄像头的画面尺寸</translation>
    </message>
    <message>
        <source>{} cannot be used any more ({}): the processor composes</source>
        <translation>{} 已无法使用（{}）：改由处理器合成</translation>
    </message>
    <message>
        <source>the machine does not keep up with the pictures</source>
        <translation>这台机器跟不上画面</translation>
    </message>
    <message>
        <source>pictures come out late</source>
        <translation>画面输出太迟</translation>
    </message>
    <message>
        <source>the program takes more of the processor than it may</source>
        <translation>程序占用的处理器超过了允许的份额</translation>
    </message>
    <message>
        <source>the graphics card is short of memory</source>
        <translation>显卡内存不足</translation>
    </message>
    <message>
        <source>memory is short</source>
        <translation>内存不足</translation>
    </message>
    <message>
        <source>who the faces are is asked less often</source>
        <translation>较少询问是谁的脸</translation>
    </message>
    <message>
        <source>the net paints each face in one part</source>
        <translation>网络一次画完每张脸</translation>
    </message>
    <message>
        <source>the enhancer rests</source>
        <translation>增强网络暂停</translation>
    </message>
    <message>
        <source>mask nets look at every second picture</source>
        <translation>遮罩网络每两帧看一次</translation>
    </message>
    <message>
        <source>lips and eyes of the mesh are not refined</source>
        <translation>网格的嘴唇和眼睛不细化</translation>
    </message>
    <message>
        <source>faces are computed {} pixels wide at most</source>
        <translation>人脸最多按 {} 像素宽计算</translation>
    </message>
    <message>
        <source>the faster one at {}: {} ms against {} ms ({})</source>
        <translation>在 {} 下更快：{} 毫秒，另一种 {} 毫秒（{}）</translation>
    </message>
    <message>
        <source>asked for</source>
        <translation>按要求选用</translation>
    </message>
    <message>
        <source>asked for; {}</source>
        <translation>按要求；{}</translation>
    </message>
    <message>
        <source>nothing else was prepared</source>
        <translation>没有准备其他方式</translation>
    </message>
    <message>
        <source>no graphics device: {}</source>
        <translation>没有图形设备：{}</translation>
    </message>
    <message>
        <source>render.backend {}: {}</source>
        <translation>render.backend {}：{}</translation>
    </message>
    <message>
        <source>OpenGL is not installed</source>
        <translation>未安装 OpenGL</translation>
    </message>
    <message>
        <source>there is no OpenGL context without a window on {} yet</source>
        <translation>在 {} 上还不能在没有窗口的情况下使用 OpenGL</translation>
    </message>
    <message>
        <source>no display of this machine gives an OpenGL 3.3 context</source>
        <translation>本机没有显示设备能提供 OpenGL 3.3</translation>
    </message>
    <message>
        <source>the EGL library is not installed</source>
        <translation>未安装 EGL 库</translation>
    </message>
    <message>
        <source>the OpenGL library cannot be loaded</source>
        <translation>无法加载 OpenGL 库</translation>
    </message>
    <message>
        <source>the graphics context is lost</source>
        <translation>图形上下文已丢失</translation>
    </message>
    <message>
        <source>the graphics context is gone</source>
        <translation>图形上下文已不在</translation>
    </message>
    <message>
        <source>another session has the graphics device</source>
        <translation>图形设备正被另一个会话使用</translation>
    </message>
    <message>
        <source>the graphics device does not answer</source>
        <translation>图形设备没有响应</translation>
    </message>
    <message>
        <source>the graphics device did not draw</source>
        <translation>图形设备没有绘制</translation>
    </message>
    <message>
        <source>the graphics driver failed: {}</source>
        <translation>图形驱动出错：{}</translation>
    </message>
    <message>
        <source>the graphics driver refuses to work: {}</source>
        <translation>图形驱动拒绝工作：{}</translation>
    </message>
    <message>
        <source>the graphics driver gives no memory</source>
        <translation>图形驱动不给内存</translation>
    </message>
    <message>
        <source>the graphics driver lost a picture</source>
        <translation>图形驱动丢失了一帧画面</translation>
    </message>
    <message>
        <source>Install a driver with OpenGL 3.3 (Debian: libegl1 libgl1 libgl1-mesa-dri), or use render.backend cpu.</source>
        <translation>请安装支持 OpenGL 3.3 的驱动（Debian：libegl1 libgl1 libgl1-mesa-dri），或选用 render.backend cpu。</translation>
    </message>
    <message>
        <source>the scene looks nude</source>
        <translation>画面疑似裸露</translation>
    </message>
    <message>
        <source>nobody could judge the scene</source>
        <translation>无法判断画面内容</translation>
    </message>
    <message>
        <source>the scene is shown again</source>
        <translation>画面恢复显示</translation>
    </message>
    <message>
        <source>The slate goes out; the scene is shown again by itself when it is judged harmless.</source>
        <translation>正在输出遮挡画面；判断为无害后会自动恢复。</translation>
    </message>
    <message>
        <source>the input has ended</source>
        <translation>输入已结束</translation>
    </message>
    <message>
        <source>the input broke off: {}</source>
        <translation>输入中断：{}</translation>
    </message>
    <message>
        <source>the input was lost: {}</source>
        <translation>输入中断：{}</translation>
    </message>
    <message>
        <source>no pictures come</source>
        <translation>没有收到画面</translation>
    </message>
    <message>
        <source>pictures come again</source>
        <translation>画面已恢复</translation>
    </message>
    <message>
        <source>Check the camera or the address. It is opened again by itself; until then nothing new goes out.</source>
        <translation>请检查摄像头或地址。程序会自动重新打开；在此之前不会输出新画面。</translation>
    </message>
    <message>
        <source>there is no camera {}</source>
        <translation>没有摄像头 {}</translation>
    </message>
    <message>
        <source>there is no camera named {}</source>
        <translation>没有名为 {} 的摄像头</translation>
    </message>
    <message>
        <source>{} cameras are named {}</source>
        <translation>有 {} 个摄像头名为 {}</translation>
    </message>
    <message>
        <source>There is {}.</source>
        <translation>现有：{}。</translation>
    </message>
    <message>
        <source>No camera was found on this computer; plug one in, or take the demo clip (synthetic).</source>
        <translation>这台电脑上没有找到摄像头；请接上一个，或使用演示短片 (synthetic)。</translation>
    </message>
    <message>
        <source>{} is there but gives no picture</source>
        <translation>{} 已连接，但没有画面</translation>
    </message>
    <message>
        <source>{} gives no more pictures</source>
        <translation>{} 不再提供画面</translation>
    </message>
    <message>
        <source>{} changed its size to {}</source>
        <translation>{} 的画面尺寸变成了 {}</translation>
    </message>
    <message>
        <source>{}: the stream changed its size to {}</source>
        <translation>{}：流的画面尺寸变成了 {}</translation>
    </message>
    <message>
        <source>the source came back with another picture size</source>
        <translation>输入恢复后画面尺寸不同</translation>
    </message>
    <message>
        <source>the source could not be opened</source>
        <translation>无法打开输入</translation>
    </message>
    <message>
        <source>the new input&apos;s pictures have another size</source>
        <translation>新输入的画面尺寸不同</translation>
    </message>
    <message>
        <source>the session has ended</source>
        <translation>会话已结束</translation>
    </message>
    <message>
        <source>the input is empty</source>
        <translation>没有填写输入</translation>
    </message>
    <message>
        <source>Give camera:0, a file, an address or synthetic.</source>
        <translation>请填写 camera:0、文件、地址或 synthetic。</translation>
    </message>
    <message>
        <source>the input&apos;s name means no file on this machine</source>
        <translation>输入的名称在本机上不是任何文件</translation>
    </message>
    <message>
        <source>Write the path of a file in full.</source>
        <translation>请写出文件的完整路径。</translation>
    </message>
    <message>
        <source>{}: there is no such file</source>
        <translation>{}：没有这个文件</translation>
    </message>
    <message>
        <source>{}: this is not a video</source>
        <translation>{}：这不是视频</translation>
    </message>
    <message>
        <source>{}: there is no video in it</source>
        <translation>{}：里面没有视频</translation>
    </message>
    <message>
        <source>{}: not one picture could be decoded</source>
        <translation>{}：没有一帧画面能够解码</translation>
    </message>
    <message>
        <source>The file may be damaged or cut off.</source>
        <translation>文件可能已损坏或不完整。</translation>
    </message>
    <message>
        <source>{}: the file may not be read</source>
        <translation>{}：无权读取此文件</translation>
    </message>
    <message>
        <source>{}: the host name is unknown</source>
        <translation>{}：主机名未知</translation>
    </message>
    <message>
        <source>{}: the stream could not be opened</source>
        <translation>{}：无法打开此流</translation>
    </message>
    <message>
        <source>{}: the connection was refused</source>
        <translation>{}：连接被拒绝</translation>
    </message>
    <message>
        <source>{}: the server wants a user and a password</source>
        <translation>{}：服务器要求用户名和密码</translation>
    </message>
    <message>
        <source>{}: the server has nothing at this address</source>
        <translation>{}：服务器在此地址没有内容</translation>
    </message>
    <message>
        <source>{}: the server refused</source>
        <translation>{}：服务器拒绝了请求</translation>
    </message>
    <message>
        <source>{}: this kind of address is not understood</source>
        <translation>{}：不支持这种地址</translation>
    </message>
    <message>
        <source>{}: what is sent there is not a video</source>
        <translation>{}：那里发送的不是视频</translation>
    </message>
    <message>
        <source>{}: the sender closed the stream</source>
        <translation>{}：发送方关闭了流</translation>
    </message>
    <message>
        <source>{}: the connection broke: {}</source>
        <translation>{}：连接中断：{}</translation>
    </message>
    <message>
        <source>{}: no picture arrived within {} s</source>
        <translation>{}：{} 秒内没有收到画面</translation>
    </message>
    <message>
        <source>{}: no picture for {} s</source>
        <translation>{}：已有 {} 秒没有画面</translation>
    </message>
    <message>
        <source>no picture came within {} s</source>
        <translation>{} 秒内没有收到画面</translation>
    </message>
    <message>
        <source>{}: there are no pictures of that name</source>
        <translation>{}：没有这个名称的图片</translation>
    </message>
    <message>
        <source>Give a folder with pictures, a pattern such as &apos;img_%04d.png&apos;, or &apos;*.png&apos; in quotes.</source>
        <translation>请给出含图片的文件夹、&apos;img_%04d.png&apos; 这样的模式，或带引号的 &apos;*.png&apos;。</translation>
    </message>
    <message>
        <source>{}: the picture is {}, the first one {}</source>
        <translation>{}：这张图片是 {}，第一张是 {}</translation>
    </message>
    <message>
        <source>All pictures of a sequence must have one size.</source>
        <translation>同一序列的图片尺寸必须一致。</translation>
    </message>
    <message>
        <source>{}: the picture cannot be read</source>
        <translation>{}：无法读取这张图片</translation>
    </message>
    <message>
        <source>{}: there is no such synthetic input</source>
        <translation>{}：没有这种合成输入</translation>
    </message>
    <message>
        <source>Is it still plugged in?</source>
        <translation>它还插着吗？</translation>
    </message>
    <message>
        <source>Check the spelling of the path.</source>
        <translation>请检查路径的写法。</translation>
    </message>
    <message>
        <source>Check the spelling of the address.</source>
        <translation>请检查地址的写法。</translation>
    </message>
    <message>
        <source>Check the address, and that the sender is running and reachable from this computer.</source>
        <translation>请检查地址，并确认发送方正在运行且本机可以连接。</translation>
    </message>
    <message>
        <source>Write them into the address: rtsp://USER:PASSWORD@HOST/…</source>
        <translation>请写入地址：rtsp://USER:PASSWORD@HOST/…</translation>
    </message>
    <message>
        <source>Use rtsp, rtmp, udp, http or https.</source>
        <translation>请使用 rtsp、rtmp、udp、http 或 https。</translation>
    </message>
    <message>
        <source>Give yourself the right to read it.</source>
        <translation>请给自己读取它的权限。</translation>
    </message>
    <message>
        <source>Give a file or stream with moving pictures.</source>
        <translation>请提供视频文件或视频流。</translation>
    </message>
    <message>
        <source>Give a video file that plays in other programs; H.264 in .mp4 is always understood.</source>
        <translation>请选择其他程序能播放的视频文件；.mp4 中的 H.264 总能识别。</translation>
    </message>
    <message>
        <source>Check the cable and whether another program uses the camera.</source>
        <translation>请检查连线，以及是否有其他程序在使用摄像头。</translation>
    </message>
    <message>
        <source>Close other programs that use it, and allow this program to use the camera.</source>
        <translation>请关闭正在使用它的其他程序，并允许本程序使用摄像头。</translation>
    </message>
    <message>
        <source>no face was chosen</source>
        <translation>还没有选择人脸</translation>
    </message>
    <message>
        <source>no source face was chosen</source>
        <translation>没有选择人脸</translation>
    </message>
    <message>
        <source>Choose a face first.</source>
        <translation>请先选择人脸。</translation>
    </message>
    <message>
        <source>Choose a face, then start.</source>
        <translation>请先选择人脸，再开始。</translation>
    </message>
    <message>
        <source>no face was found</source>
        <translation>没有找到人脸</translation>
    </message>
    <message>
        <source>{}: no face was found</source>
        <translation>{}：没有找到人脸</translation>
    </message>
    <message>
        <source>{} faces were found</source>
        <translation>找到 {} 张人脸</translation>
    </message>
    <message>
        <source>{}: {} faces were found</source>
        <translation>{}：找到 {} 张人脸</translation>
    </message>
    <message>
        <source>the face is only {} pixels wide</source>
        <translation>人脸只有 {} 像素宽</translation>
    </message>
    <message>
        <source>{}: the face is only {} pixels wide</source>
        <translation>{}：人脸只有 {} 像素宽</translation>
    </message>
    <message>
        <source>Give a portrait, seen from the front, evenly lit.</source>
        <translation>请提供光线均匀的正面肖像。</translation>
    </message>
    <message>
        <source>the face in use was removed</source>
        <translation>正在使用的人脸已被移除</translation>
    </message>
    <message>
        <source>Choose another face to go on.</source>
        <translation>请选择另一张人脸以继续。</translation>
    </message>
    <message>
        <source>there is no recogniser {}</source>
        <translation>没有识别模型 {}</translation>
    </message>
    <message>
        <source>Recognisers: {}.</source>
        <translation>识别模型：{}。</translation>
    </message>
    <message>
        <source>nobody called {} is enrolled</source>
        <translation>没有登记名为 {} 的人</translation>
    </message>
    <message>
        <source>Enrolled: {}.</source>
        <translation>已登记：{}。</translation>
    </message>
    <message>
        <source>Nobody is enrolled yet.</source>
        <translation>还没有登记任何人。</translation>
    </message>
    <message>
        <source>nobody has looked at that face yet</source>
        <translation>这张脸还没有被识别过</translation>
    </message>
    <message>
        <source>Wait a moment, and try again.</source>
        <translation>请稍等片刻再试。</translation>
    </message>
    <message>
        <source>Give letters and digits, at most 40.</source>
        <translation>请用字母和数字，最多 40 个字符。</translation>
    </message>
    <message>
        <source>that face is enrolled as {}</source>
        <translation>这张脸已登记为 {}</translation>
    </message>
    <message>
        <source>Give that name, or forget {} first.</source>
        <translation>请用该名称，或先删除 {}。</translation>
    </message>
    <message>
        <source>that face is not {}&apos;s</source>
        <translation>这不是 {} 的脸</translation>
    </message>
    <message>
        <source>Give another name, or forget {} first.</source>
        <translation>请换一个名称，或先删除 {}。</translation>
    </message>
    <message>
        <source>nobody can be enrolled</source>
        <translation>无法登记</translation>
    </message>
    <message>
        <source>{} is in use</source>
        <translation>{} 正在使用中</translation>
    </message>
    <message>
        <source>{} gets the face that was chosen for all: {}</source>
        <translation>{} 使用为所有人选择的脸：{}</translation>
    </message>
    <message>
        <source>that person is not here any more</source>
        <translation>此人物已不在这里</translation>
    </message>
    <message>
        <source>that photo is not here any more</source>
        <translation>那张照片已不在这里</translation>
    </message>
    <message>
        <source>that name cannot be given</source>
        <translation>不能使用这个名称</translation>
    </message>
    <message>
        <source>Choose one of your own people, and a name.</source>
        <translation>请选择自己添加的人物，并填写名称。</translation>
    </message>
    <message>
        <source>the built-in faces stay</source>
        <translation>内置人脸不能删除</translation>
    </message>
    <message>
        <source>Choose one of your own people.</source>
        <translation>请选择自己添加的人物。</translation>
    </message>
    <message>
        <source>this is one of the built-in faces</source>
        <translation>这是内置人脸之一</translation>
    </message>
    <message>
        <source>Choose it from the list.</source>
        <translation>请从列表中选择。</translation>
    </message>
    <message>
        <source>this photo is already here, as {}</source>
        <translation>这张照片已经添加，名为 {}</translation>
    </message>
    <message>
        <source>there is no photo</source>
        <translation>没有照片</translation>
    </message>
    <message>
        <source>{} was changed since its use was allowed</source>
        <translation>{} 在获准使用之后被改动过</translation>
    </message>
    <message>
        <source>Remove it, and add it again if it may be used.</source>
        <translation>请移除它；若可以使用，再重新添加。</translation>
    </message>
    <message>
        <source>Choose another face.</source>
        <translation>请选择另一张人脸。</translation>
    </message>
    <message>
        <source>Give a larger picture of the face.</source>
        <translation>请提供更大的人脸照片。</translation>
    </message>
    <message>
        <source>Cut the picture so that only one person is in it.</source>
        <translation>请裁剪照片，使其中只有一个人。</translation>
    </message>
    <message>
        <source>{} is not a picture file</source>
        <translation>{} 不是图片文件</translation>
    </message>
    <message>
        <source>{} is not a picture that can be read</source>
        <translation>{} 不是可以读取的图片</translation>
    </message>
    <message>
        <source>{} is damaged: a part is missing or wrong</source>
        <translation>{} 已损坏：有部分缺失或错误</translation>
    </message>
    <message>
        <source>Get the picture again.</source>
        <translation>请重新获取这张图片。</translation>
    </message>
    <message>
        <source>{}: {} megapixels are too many</source>
        <translation>{}：{} 百万像素太大</translation>
    </message>
    <message>
        <source>Give a picture of up to {} megapixels; 1 is plenty.</source>
        <translation>请选择不超过 {} 百万像素的图片；1 百万像素就足够。</translation>
    </message>
    <message>
        <source>{}: {} pixels are too few</source>
        <translation>{}：{} 像素太小</translation>
    </message>
    <message>
        <source>Give a portrait, best 512 pixels or more.</source>
        <translation>请选择肖像照片，最好 512 像素以上。</translation>
    </message>
    <message>
        <source>Give a JPEG, PNG or WebP file.</source>
        <translation>请提供 JPEG、PNG 或 WebP 文件。</translation>
    </message>
    <message>
        <source>Give a picture, or one of: {}.</source>
        <translation>请选择图片，或下列之一：{}。</translation>
    </message>
    <message>
        <source>Check the path of the picture.</source>
        <translation>请检查图片的路径。</translation>
    </message>
    <message>
        <source>Check the rights to the file.</source>
        <translation>请检查文件的权限。</translation>
    </message>
    <message>
        <source>{}: nobody has said why this face may be used</source>
        <translation>{}：没有人说明为何可以使用这张脸</translation>
    </message>
    <message>
        <source>Say why: facefusion-live consent grant {} --kind KIND.</source>
        <translation>说明理由：facefusion-live consent grant {} --kind KIND。</translation>
    </message>
    <message>
        <source>this engine draws the one person that it was trained on</source>
        <translation>此引擎只画它训练时所用的那个人</translation>
    </message>
    <message>
        <source>{}: the consent was taken back on {}</source>
        <translation>{}：同意已于 {} 撤回</translation>
    </message>
    <message>
        <source>the consent was taken back on {}</source>
        <translation>同意已于 {} 撤回</translation>
    </message>
    <message>
        <source>{}: the consent ended on {}</source>
        <translation>{}：同意已于 {} 到期</translation>
    </message>
    <message>
        <source>the consent ended on {}</source>
        <translation>同意已于 {} 到期</translation>
    </message>
    <message>
        <source>{}: the consent waits for a second person&apos;s approval</source>
        <translation>{}：同意尚待第二人批准</translation>
    </message>
    <message>
        <source>the consent waits for a second person&apos;s approval</source>
        <translation>同意尚待第二人批准</translation>
    </message>
    <message>
        <source>the consent records were changed: no face but the built-in ones may be used</source>
        <translation>同意记录被改动：只能使用内置面孔</translation>
    </message>
    <message>
        <source>the consent records are gone: no face but the built-in ones may be used</source>
        <translation>同意记录丢失：只能使用内置面孔</translation>
    </message>
    <message>
        <source>the consent records {}: no face but the built-in ones may be used</source>
        <translation>同意记录异常（{}）：只能使用内置人脸</translation>
    </message>
    <message>
        <source>the consent cannot be kept</source>
        <translation>无法保存同意记录</translation>
    </message>
    <message>
        <source>there is no one consent {}</source>
        <translation>没有唯一对应 {} 的同意</translation>
    </message>
    <message>
        <source>See facefusion-live consent list.</source>
        <translation>请查看 facefusion-live consent list。</translation>
    </message>
    <message>
        <source>Remove the person, and add the photos again.</source>
        <translation>请移除此人，然后重新添加照片。</translation>
    </message>
    <message>
        <source>there is no operator&apos;s code</source>
        <translation>没有设置操作员验证码</translation>
    </message>
    <message>
        <source>The second person sets one up: facefusion-live audit key.</source>
        <translation>由第二人设置：facefusion-live audit key。</translation>
    </message>
    <message>
        <source>the operator&apos;s code is missing</source>
        <translation>缺少操作员验证码</translation>
    </message>
    <message>
        <source>the second person&apos;s approval is switched off with the operator&apos;s code only</source>
        <translation>只有凭操作员验证码才能关闭第二人批准</translation>
    </message>
    <message>
        <source>the consent is gone</source>
        <translation>同意记录已不在</translation>
    </message>
    <message>
        <source>Put the folder consent back from a backup, or move it away and grant each consent anew.</source>
        <translation>请从备份恢复 consent 文件夹，或将其移走并重新登记每项同意。</translation>
    </message>
    <message>
        <source>a written consent has a name, a document and a last day</source>
        <translation>书面同意须有姓名、文件和截止日期</translation>
    </message>
    <message>
        <source>{} is no day</source>
        <translation>{} 不是日期</translation>
    </message>
    <message>
        <source>Write it as 2027-01-31.</source>
        <translation>请写成 2027-01-31。</translation>
    </message>
    <message>
        <source>{} is over</source>
        <translation>{} 已经过去</translation>
    </message>
    <message>
        <source>Give today or a later day.</source>
        <translation>请填写今天或之后的日期。</translation>
    </message>
    <message>
        <source>Give the file with the signed consent.</source>
        <translation>请选择已签署的同意书文件。</translation>
    </message>
    <message>
        <source>the label and the mark are left out for a reason only</source>
        <translation>只有说明理由才能去掉标识和隐形标记</translation>
    </message>
    <message>
        <source>a reason has at most {} letters</source>
        <translation>原因最多 {} 个字</translation>
    </message>
    <message>
        <source>Say it shorter.</source>
        <translation>请写得短一些。</translation>
    </message>
    <message>
        <source>If it may be used: {}.</source>
        <translation>如确可使用：{}。</translation>
    </message>
    <message>
        <source>{} carries no signed manifest: {}</source>
        <translation>{} 没有签名清单：{}</translation>
    </message>
    <message>
        <source>Matroska has no place for one</source>
        <translation>Matroska 格式无法容纳</translation>
    </message>
    <message>
        <source>{} is not the built-in face that came with the program</source>
        <translation>{} 不是随程序提供的内置人脸</translation>
    </message>
    <message>
        <source>the model file {} is not the one that came with the program</source>
        <translation>模型文件 {} 不是随程序提供的文件</translation>
    </message>
    <message>
        <source>{} is never kept</source>
        <translation>{} 从不保存</translation>
    </message>
    <message>
        <source>Take it out of the file, and say it at each start: --{} …</source>
        <translation>请从文件中删去，并在每次启动时指定：--{} …</translation>
    </message>
    <message>
        <source>{} carries no AIGC block</source>
        <translation>{} 没有 AIGC 标识块</translation>
    </message>
    <message>
        <source>the manifest of {} does not fit: {}</source>
        <translation>{} 的签名清单不相符：{}</translation>
    </message>
    <message>
        <source>nothing is live</source>
        <translation>尚未开始</translation>
    </message>
    <message>
        <source>Start first.</source>
        <translation>请先开始。</translation>
    </message>
    <message>
        <source>a recording is running already</source>
        <translation>已经在录制</translation>
    </message>
    <message>
        <source>Stop it first.</source>
        <translation>请先停止录制。</translation>
    </message>
    <message>
        <source>the folder {} cannot be made</source>
        <translation>无法创建文件夹 {}</translation>
    </message>
    <message>
        <source>Give a folder that you may write to.</source>
        <translation>请选择一个可以写入的文件夹。</translation>
    </message>
    <message>
        <source>Free some space on the disk.</source>
        <translation>请腾出一些磁盘空间。</translation>
    </message>
    <message>
        <source>Give a path in a folder that exists and that you may write to.</source>
        <translation>请给出一个已存在且可写入的文件夹中的路径。</translation>
    </message>
    <message>
        <source>Make room on the disk and record again; what was recorded until then is kept.</source>
        <translation>请腾出磁盘空间后重新录制；此前录下的内容已保留。</translation>
    </message>
    <message>
        <source>the output {} failed: {}</source>
        <translation>输出 {} 失败：{}</translation>
    </message>
    <message>
        <source>there is no output {}</source>
        <translation>没有输出 {}</translation>
    </message>
    <message>
        <source>Start PipeWire and WirePlumber in your session (systemctl --user start pipewire wireplumber).</source>
        <translation>请在您的会话中启动 PipeWire 和 WirePlumber（systemctl --user start pipewire wireplumber）。</translation>
    </message>
    <message>
        <source>Install PipeWire 0.3.50 or newer (Debian, Ubuntu: libpipewire-0.3-0; Fedora: pipewire-libs).</source>
        <translation>请安装 PipeWire 0.3.50 或更新版本（Debian、Ubuntu：libpipewire-0.3-0；Fedora：pipewire-libs）。</translation>
    </message>
    <message>
        <source>Load v4l2loopback (apt install v4l2loopback-dkms, modprobe v4l2loopback).</source>
        <translation>请加载 v4l2loopback（apt install v4l2loopback-dkms，modprobe v4l2loopback）。</translation>
    </message>
    <message>
        <source>Install OBS Studio and start its virtual camera once.</source>
        <translation>请安装 OBS Studio，并启动一次它的虚拟摄像头。</translation>
    </message>
    <message>
        <source>Install a virtual camera.</source>
        <translation>请安装一个虚拟摄像头。</translation>
    </message>
    <message>
        <source>First pip install &quot;facefusion-live[virtual-camera]&quot;. {}</source>
        <translation>先运行 pip install &quot;facefusion-live[virtual-camera]&quot;。{}</translation>
    </message>
    <message>
        <source>This copy has no cameras of drivers: the pip package of the program has, with [virtual-camera].</source>
        <translation>此版本不含驱动式虚拟摄像头；本程序的 pip 包加上 [virtual-camera] 才有。</translation>
    </message>
    <message>
        <source>This copy has no cameras of drivers: take the browser source into OBS, and start the virtual camera there.</source>
        <translation>此版本不含驱动式虚拟摄像头：请把浏览器源加入 OBS，并在 OBS 中启动虚拟摄像头。</translation>
    </message>
    <message>
        <source>{} Or: {}</source>
        <translation>{}或者：{}</translation>
    </message>
    <message>
        <source>the output {}: the microphone is gone: silence</source>
        <translation>输出 {}：麦克风已断开，现为静音</translation>
    </message>
    <message>
        <source>the microphone is gone: silence</source>
        <translation>麦克风已断开，现为静音</translation>
    </message>
    <message>
        <source>an address with a key is not remembered: give it again next time</source>
        <translation>含有密钥的地址不会被记住：下次请重新输入</translation>
    </message>
    <message>
        <source>the output {}: {}</source>
        <translation>输出 {}：{}</translation>
    </message>
    <message>
        <source>{}://…: there is a space in the address</source>
        <translation>{}://…：地址中有空格</translation>
    </message>
    <message>
        <source>{} holds no certificates</source>
        <translation>{} 中没有证书</translation>
    </message>
    <message>
        <source>{} runs on {}: pictures of faces go there</source>
        <translation>{} 在 {} 上运行：人脸图像会发送到那里</translation>
    </message>
    <message>
        <source>{} runs on {}: pictures of faces go there, unencrypted</source>
        <translation>{} 在 {} 上运行：人脸图像会未加密地发送到那里</translation>
    </message>
    <message>
        <source>inference.remote names the server.</source>
        <translation>服务器由 inference.remote 指定。</translation>
    </message>
    <message>
        <source>the server {}: {}</source>
        <translation>服务器 {}：{}</translation>
    </message>
    <message>
        <source>the server {} is not there</source>
        <translation>服务器 {} 不在</translation>
    </message>
    <message>
        <source>the server {} did not answer in time</source>
        <translation>服务器 {} 没有及时响应</translation>
    </message>
    <message>
        <source>the server {} does not speak the Open Inference Protocol</source>
        <translation>服务器 {} 不支持开放推理协议（Open Inference Protocol）</translation>
    </message>
    <message>
        <source>the server {} asks who you are</source>
        <translation>服务器 {} 要求验证身份</translation>
    </message>
    <message>
        <source>the server {} refuses</source>
        <translation>服务器 {} 拒绝了请求</translation>
    </message>
    <message>
        <source>the server {} could not do it ({}: {})</source>
        <translation>服务器 {} 未能完成（{}：{}）</translation>
    </message>
    <message>
        <source>the server {} has no net {} that is ready</source>
        <translation>服务器 {} 上没有已就绪的网络 {}</translation>
    </message>
    <message>
        <source>the server {} has no net {} that is ready: {}</source>
        <translation>服务器 {} 上没有已就绪的网络 {}：{}</translation>
    </message>
    <message>
        <source>the server {} is there, but {} is not ready</source>
        <translation>服务器 {} 在，但 {} 尚未就绪</translation>
    </message>
    <message>
        <source>the server {} came back with another {}</source>
        <translation>服务器 {} 恢复后提供的是另一个 {}</translation>
    </message>
    <message>
        <source>the server&apos;s answer has other tensors than it says</source>
        <translation>服务器的应答与其声明的张量不符</translation>
    </message>
    <message>
        <source>the server&apos;s answer lacks {}</source>
        <translation>服务器的应答缺少 {}</translation>
    </message>
    <message>
        <source>the server&apos;s answer cannot be read</source>
        <translation>服务器的应答无法读取</translation>
    </message>
    <message>
        <source>the server&apos;s answer is of a type that is not read</source>
        <translation>服务器的应答类型无法读取</translation>
    </message>
    <message>
        <source>the server&apos;s answer is not as large as it says</source>
        <translation>服务器的应答大小与其声明不符</translation>
    </message>
    <message>
        <source>the line to the server {} is closed</source>
        <translation>与服务器 {} 的连接已关闭</translation>
    </message>
    <message>
        <source>the net asks for {}, which is not sent</source>
        <translation>该网络要求 {}，本程序不发送这种类型</translation>
    </message>
    <message>
        <source>{} does not run there: {}</source>
        <translation>{} 无法在那里运行：{}</translation>
    </message>
    <message>
        <source>{}; it is asked again by itself</source>
        <translation>{}；程序会自动再次询问</translation>
    </message>
    <message>
        <source>the server {} is back</source>
        <translation>服务器 {} 已恢复</translation>
    </message>
    <message>
        <source>It is asked again by itself; until then the slate goes out.</source>
        <translation>程序会自动再次询问；在此之前输出遮挡画面。</translation>
    </message>
    <message>
        <source>server {}</source>
        <translation>服务器 {}</translation>
    </message>
    <message>
        <source>nets on a server need the package grpcio</source>
        <translation>在服务器上运行网络需要 grpcio 软件包</translation>
    </message>
    <message>
        <source>pictures of faces go to another machine encrypted, or for a reason</source>
        <translation>人脸图像须加密发送到其他机器，否则须说明理由</translation>
    </message>
    <message>
        <source>inference.remote is no address of a server for nets</source>
        <translation>inference.remote 不是推理服务器的地址</translation>
    </message>
    <message>
        <source>there is no such host</source>
        <translation>没有这台主机</translation>
    </message>
    <message>
        <source>nobody listens there</source>
        <translation>那里没有程序在监听</translation>
    </message>
    <message>
        <source>no answer within {} s</source>
        <translation>{} 秒内没有响应</translation>
    </message>
    <message>
        <source>its certificate is not to be trusted ({})</source>
        <translation>其证书不可信（{}）</translation>
    </message>
    <message>
        <source>it does not speak TLS</source>
        <translation>它不使用 TLS</translation>
    </message>
    <message>
        <source>it cannot be reached ({})</source>
        <translation>无法连接到它（{}）</translation>
    </message>
    <message>
        <source>Install it: pip install &apos;facefusion-live[remote]&apos;, or empty inference.remote.</source>
        <translation>请安装：pip install &apos;facefusion-live[remote]&apos;，或清空 inference.remote。</translation>
    </message>
    <message>
        <source>This copy was built without it: use the pip package of the program with [remote], or empty inference.remote.</source>
        <translation>此版本构建时未包含它：请使用本程序的 pip 包加上 [remote]，或清空 inference.remote。</translation>
    </message>
    <message>
        <source>Start it, or empty inference.remote to run nets here.</source>
        <translation>请启动它，或清空 inference.remote 以在本机运行网络。</translation>
    </message>
    <message>
        <source>Raise inference.remote_timeout_ms, or run the net here.</source>
        <translation>请调大 inference.remote_timeout_ms，或在本机运行该网络。</translation>
    </message>
    <message>
        <source>Give the gRPC port of Triton, OpenVINO Model Server, MLServer or KServe.</source>
        <translation>请给出 Triton、OpenVINO Model Server、MLServer 或 KServe 的 gRPC 端口。</translation>
    </message>
    <message>
        <source>Only servers that ask for no name can be used.</source>
        <translation>只能使用不要求身份验证的服务器。</translation>
    </message>
    <message>
        <source>Put the net there under the name {}, or change inference.remote_tasks.</source>
        <translation>请以名称 {} 将该网络放到服务器上，或更改 inference.remote_tasks。</translation>
    </message>
    <message>
        <source>Look into the server&apos;s log.</source>
        <translation>请查看服务器的日志。</translation>
    </message>
    <message>
        <source>Check the address in inference.remote.</source>
        <translation>请检查 inference.remote 中的地址。</translation>
    </message>
    <message>
        <source>Start the server, or check the port.</source>
        <translation>请启动服务器，或检查端口。</translation>
    </message>
    <message>
        <source>Check the address, and the firewall.</source>
        <translation>请检查地址和防火墙。</translation>
    </message>
    <message>
        <source>Check your network.</source>
        <translation>请检查网络。</translation>
    </message>
    <message>
        <source>Check the host&apos;s name; a server of your own needs its authority in inference.remote_ca.</source>
        <translation>请检查主机名；您自己的服务器需要在 inference.remote_ca 中给出其颁发机构。</translation>
    </message>
    <message>
        <source>Put TLS before it, or use grpc:// on this machine.</source>
        <translation>请在其前端启用 TLS，或在本机使用 grpc://。</translation>
    </message>
    <message>
        <source>Give inference.remote_ca a list of certificates (PEM), or nothing.</source>
        <translation>请为 inference.remote_ca 提供证书列表（PEM），或留空。</translation>
    </message>
    <message>
        <source>Use grpcs://, or say why not, as in --inference.remote_plain {}.</source>
        <translation>请使用 grpcs://，或说明理由，例如 --inference.remote_plain {}。</translation>
    </message>
    <message>
        <source>{} was written by a newer version of this program</source>
        <translation>{} 由本程序的更新版本写入</translation>
    </message>
    <message>
        <source>{} was cut off: its last line is missing</source>
        <translation>{} 被截断：缺少最后一行</translation>
    </message>
    <message>
        <source>See what is missing, and end it with the line {}; or move it away to start anew.</source>
        <translation>请检查缺少的内容，并以 {} 一行结尾；或将其移走以重新开始。</translation>
    </message>
    <message>
        <source>Get the newest version of this program, or move the file away to start anew.</source>
        <translation>请获取本程序的最新版本，或移走该文件以重新开始。</translation>
    </message>
    <message>
        <source>Get the newest version of this program.</source>
        <translation>请获取本程序的最新版本。</translation>
    </message>
    <message>
        <source>Unclean end: the last session was killed, or the machine went down. Its last moment may not be on record.</source>
        <translation>非正常结束：上次会话被强行终止，或机器断电。其最后一刻可能未被记录。</translation>
    </message>
    <message>
        <source>A newer version of this program wrote the audit log. It is left as it is; rows go into a log of their own.</source>
        <translation>审计日志由本程序的更新版本写成，将原样保留；新的记录写入单独的日志。</translation>
    </message>
    <message>
        <source>The audit log cannot be written: {}</source>
        <translation>审计记录无法写入：{}</translation>
    </message>
    <message>
        <source>The audit log&apos;s daily files cannot be written. Its rows are kept, and the files follow.</source>
        <translation>无法写入审计日志的每日文件。各行已保存，文件随后补写。</translation>
    </message>
    <message>
        <source>Old audit rows were not archived, and none was deleted.</source>
        <translation>旧的审计行未能归档，也没有删除任何一行。</translation>
    </message>
    <message>
        <source>{} is not the file that was made for it</source>
        <translation>{} 不是为此生成的文件</translation>
    </message>
    <message>
        <source>Put it back from a backup, or delete it and set up a new code.</source>
        <translation>请从备份中恢复，或将其删除后重新设置口令。</translation>
    </message>
    <message>
        <source>A file or folder of the record was taken away: put it back from a backup, or a new log begins without it.</source>
        <translation>记录的某个文件或文件夹被移走了：请从备份中恢复，否则将开始一个没有它的新日志。</translation>
    </message>
    <message>
        <source>See whether the disk is sound.</source>
        <translation>请检查磁盘是否完好。</translation>
    </message>
    <message>
        <source>the audit log&apos;s file is damaged: {}</source>
        <translation>审计日志文件已损坏：{}</translation>
    </message>
    <message>
        <source>Look at the disk on which the program&apos;s folder lies.</source>
        <translation>请检查程序文件夹所在的磁盘。</translation>
    </message>
    <message>
        <source>{}://…: the host&apos;s name is none</source>
        <translation>{}://…：没有主机名</translation>
    </message>
    <message>
        <source>there is no engine {}</source>
        <translation>没有引擎 {}</translation>
    </message>
    <message>
        <source>Engines: {}.</source>
        <translation>可用引擎：{}。</translation>
    </message>
    <message>
        <source>the model file {} is missing</source>
        <translation>缺少模型文件 {}</translation>
    </message>
    <message>
        <source>Fetch it: facefusion-live models pull {}</source>
        <translation>获取方法：facefusion-live models pull {}</translation>
    </message>
    <message>
        <source>the model file {} has changed since it came</source>
        <translation>模型文件 {} 与取得时不同</translation>
    </message>
    <message>
        <source>Fetch it anew: facefusion-live models pull {}</source>
        <translation>重新获取：facefusion-live models pull {}</translation>
    </message>
    <message>
        <source>Take the right file in: facefusion-live models add FILE</source>
        <translation>加入正确的文件：facefusion-live models add FILE</translation>
    </message>
    <message>
        <source>{} is no swapper of a known family</source>
        <translation>{} 不是已知系列的换脸模型</translation>
    </message>
    <message>
        <source>{} ({} of {} nodes; the rest: {})</source>
        <translation>{}（{} / {} 个节点；其余：{}）</translation>
    </message>
    <message>
        <source>{} (this ONNX Runtime does not tell how many nodes)</source>
        <translation>{}（此 ONNX Runtime 不提供节点数）</translation>
    </message>
    <message>
        <source>{}: the net has {} inputs, a swapper has 2</source>
        <translation>{}：该网络有 {} 个输入，换脸模型应有 2 个</translation>
    </message>
    <message>
        <source>something went wrong that should not ({})</source>
        <translation>发生了不该发生的错误（{}）</translation>
    </message>
    <message>
        <source>Please report it, with {}.</source>
        <translation>请附上 {} 报告此问题。</translation>
    </message>
    <message>
        <source>{} cannot be read</source>
        <translation>{} 无法读取</translation>
    </message>
    <message>
        <source>the nudity check is left out for a reason only</source>
        <translation>只有说明理由才能关闭裸露检查</translation>
    </message>
    <message>
        <source>label, mark and nudity check are left out on record only</source>
        <translation>只有留下记录才能去掉标识、隐形标记或裸露检查</translation>
    </message>
    <message>
        <source>Leave audit switched on, or all three of them.</source>
        <translation>请保持审计开启，或保留这三项。</translation>
    </message>
    <message>
        <source>the input was opened anew: the recording goes on as {}</source>
        <translation>已重新打开输入：录制继续写入 {}</translation>
    </message>
    <message>
        <source>Give a path in a folder that exists.</source>
        <translation>请选择已存在的文件夹。</translation>
    </message>
    <message>
        <source>Give a path in a folder that exists, that you may write to, on a disk with free space.</source>
        <translation>请选择已存在、可写入且磁盘有空间的文件夹。</translation>
    </message>
    <message>
        <source>Give a path that you may write to, on a disk with free space.</source>
        <translation>请选择可写入且磁盘有空间的位置。</translation>
    </message>
    <message>
        <source>{}: the disk has only {} MiB left</source>
        <translation>{}：磁盘只剩 {} MiB</translation>
    </message>
    <message>
        <source>Make room: {} MiB are to be kept free (record.keep_free_mib).</source>
        <translation>请腾出空间：须保留 {} MiB (record.keep_free_mib)。</translation>
    </message>
    <message>
        <source>{}: the recording was ended, complete, because the disk has only {} MiB left</source>
        <translation>{}：磁盘只剩 {} MiB，录制已完整结束</translation>
    </message>
    <message>
        <source>Make room and record again; record.keep_free_mib says how much is kept free.</source>
        <translation>请腾出空间后再录制；record.keep_free_mib 决定保留多少空间。</translation>
    </message>
    <message>
        <source>{}: recordings of this kind are not made</source>
        <translation>{}：不支持这种录制格式</translation>
    </message>
    <message>
        <source>Name it .mp4 (small) or .mkv (lossless).</source>
        <translation>请命名为 .mp4（体积小）或 .mkv（无损）。</translation>
    </message>
    <message>
        <source>{}: the recording would overwrite the input</source>
        <translation>{}：录制会覆盖输入文件</translation>
    </message>
    <message>
        <source>Give the output another name.</source>
        <translation>请给输出起别的名称。</translation>
    </message>
    <message>
        <source>{}: the recording cannot be started: {}</source>
        <translation>{}：无法开始录制：{}</translation>
    </message>
    <message>
        <source>{}: the recording ended early: {}</source>
        <translation>{}：录制提前结束：{}</translation>
    </message>
    <message>
        <source>{}: the file cannot be made: {}</source>
        <translation>{}：无法创建文件：{}</translation>
    </message>
    <message>
        <source>{}: writing failed: {}</source>
        <translation>{}：写入失败：{}</translation>
    </message>
    <message>
        <source>{}: snapshots of this kind are not made</source>
        <translation>{}：不支持这种截图格式</translation>
    </message>
    <message>
        <source>Name it .png or .jpg.</source>
        <translation>请命名为 .png 或 .jpg。</translation>
    </message>
    <message>
        <source>{}: the folder does not exist</source>
        <translation>{}：文件夹不存在</translation>
    </message>
    <message>
        <source>{}: the snapshot cannot be written: {}</source>
        <translation>{}：无法写入截图：{}</translation>
    </message>
    <message>
        <source>{}: no picture came</source>
        <translation>{}：没有收到画面</translation>
    </message>
    <message>
        <source>Try again once pictures go out.</source>
        <translation>请在有画面输出后再试。</translation>
    </message>
    <message>
        <source>{}: its sound cannot be read</source>
        <translation>{}：无法读取其声音</translation>
    </message>
    <message>
        <source>Record without sound, or check the input file.</source>
        <translation>请不带声音录制，或检查输入文件。</translation>
    </message>
    <message>
        <source>the output {} does not end</source>
        <translation>输出 {} 没有结束</translation>
    </message>
    <message>
        <source>It was left behind; look into the log.</source>
        <translation>已不再等待；请查看日志。</translation>
    </message>
    <message>
        <source>outputs can be added only while the session runs</source>
        <translation>只能在会话运行时添加输出</translation>
    </message>
    <message>
        <source>Outputs: {}.</source>
        <translation>可用的输出：{}。</translation>
    </message>
    <message>
        <source>{} is not open</source>
        <translation>{} 没有打开</translation>
    </message>
    <message>
        <source>the encoder {} does not work on this computer</source>
        <translation>编码器 {} 在这台电脑上不能用</translation>
    </message>
    <message>
        <source>Set stream.encoder to auto; facefusion-live doctor tells which ones work.</source>
        <translation>请将 stream.encoder 设为自动；facefusion-live doctor 会列出可用的编码器。</translation>
    </message>
    <message>
        <source>this program&apos;s FFmpeg has no {}</source>
        <translation>本程序的 FFmpeg 不支持 {}</translation>
    </message>
    <message>
        <source>Send rtmp:// or udp:// instead, and let a media server turn it into what you need.</source>
        <translation>请改用 rtmp:// 或 udp://，再由媒体服务器转换。</translation>
    </message>
    <message>
        <source>{}: the port is none</source>
        <translation>{}：端口无效</translation>
    </message>
    <message>
        <source>Give a number from 1 to 65535.</source>
        <translation>请填写 1 到 65535 之间的数。</translation>
    </message>
    <message>
        <source>{}: host or port are missing</source>
        <translation>{}：缺少主机或端口</translation>
    </message>
    <message>
        <source>{}: the stream key is missing</source>
        <translation>{}：缺少推流密钥</translation>
    </message>
    <message>
        <source>{}: the port is missing</source>
        <translation>{}：缺少端口</translation>
    </message>
    <message>
        <source>Give {}.</source>
        <translation>请填写 {}。</translation>
    </message>
    <message>
        <source>pictures over HTTP are served on this computer only</source>
        <translation>HTTP 画面只在本机提供</translation>
    </message>
    <message>
        <source>Give http://{}:PORT; for other computers stream with rtmp:// or udp://.</source>
        <translation>请填写 http://{}:PORT；要给其他电脑请用 rtmp:// 或 udp:// 推流。</translation>
    </message>
    <message>
        <source>Give http://{}:PORT, or mjpeg.</source>
        <translation>请填写 http://{}:PORT 或 mjpeg。</translation>
    </message>
    <message>
        <source>the token in the address can be guessed</source>
        <translation>地址中的口令太容易猜到</translation>
    </message>
    <message>
        <source>Give {} characters, or none at all.</source>
        <translation>请用 {} 个字符，或不写。</translation>
    </message>
    <message>
        <source>{}: the port cannot be had: {}</source>
        <translation>{}：无法使用该端口：{}</translation>
    </message>
    <message>
        <source>Give another port, or --sink mjpeg for any that is free.</source>
        <translation>请换一个端口，或用 mjpeg 自动选择空闲端口。</translation>
    </message>
    <message>
        <source>port {}, in use by {}</source>
        <translation>端口 {}，{} 个程序在看</translation>
    </message>
    <message>
        <source>port {}, nobody looks</source>
        <translation>端口 {}，无人观看</translation>
    </message>
    <message>
        <source>in use by {}</source>
        <translation>{} 个程序在使用</translation>
    </message>
    <message>
        <source>in use by {}, listed as {}</source>
        <translation>{} 个程序在使用，名称为 {}</translation>
    </message>
    <message>
        <source>nobody watches</source>
        <translation>无人观看</translation>
    </message>
    <message>
        <source>nobody watches, listed as {}</source>
        <translation>无人观看，名称为 {}</translation>
    </message>
    <message>
        <source>delayed by {} ms</source>
        <translation>延迟 {} 毫秒</translation>
    </message>
    <message>
        <source>{}: the server is away, tried {}×</source>
        <translation>{}：服务器不在，已尝试 {} 次</translation>
    </message>
    <message>
        <source>PipeWire is gone</source>
        <translation>PipeWire 已不在</translation>
    </message>
    <message>
        <source>no PipeWire daemon answers: {}</source>
        <translation>没有 PipeWire 服务响应：{}</translation>
    </message>
    <message>
        <source>the PipeWire library cannot be used: {}</source>
        <translation>无法使用 PipeWire 库：{}</translation>
    </message>
    <message>
        <source>PipeWire makes no stream: {}</source>
        <translation>PipeWire 无法建立流：{}</translation>
    </message>
    <message>
        <source>PipeWire refuses the stream: {}</source>
        <translation>PipeWire 拒绝了流：{}</translation>
    </message>
    <message>
        <source>no driver for a virtual camera is installed</source>
        <translation>没有安装虚拟摄像头驱动</translation>
    </message>
    <message>
        <source>there is no virtual camera to be had</source>
        <translation>没有可用的虚拟摄像头</translation>
    </message>
    <message>
        <source>the virtual camera broke</source>
        <translation>虚拟摄像头出错</translation>
    </message>
    <message>
        <source>Start it again; see whether its driver runs.</source>
        <translation>请重新启动；并检查其驱动是否在运行。</translation>
    </message>
    <message>
        <source>there is no microphone</source>
        <translation>没有麦克风</translation>
    </message>
    <message>
        <source>there is no microphone {}</source>
        <translation>没有麦克风 {}</translation>
    </message>
    <message>
        <source>Microphones: {}.</source>
        <translation>可用的麦克风：{}。</translation>
    </message>
    <message>
        <source>the microphone is gone</source>
        <translation>麦克风已不在</translation>
    </message>
    <message>
        <source>no sound server answers</source>
        <translation>没有声音服务响应</translation>
    </message>
    <message>
        <source>Start PipeWire (with pipewire-pulse) or PulseAudio, or record without sound.</source>
        <translation>请启动 PipeWire（含 pipewire-pulse）或 PulseAudio，或不带声音录制。</translation>
    </message>
    <message>
        <source>there is no way to a microphone: libpulse is missing</source>
        <translation>无法使用麦克风：缺少 libpulse</translation>
    </message>
    <message>
        <source>there is no way to a microphone here</source>
        <translation>这里无法使用麦克风</translation>
    </message>
    <message>
        <source>Set sound.source to auto.</source>
        <translation>请将 sound.source 设为自动。</translation>
    </message>
    <message>
        <source>Install it (Debian: libpulse0), or record without sound (sound.source none).</source>
        <translation>请安装它（Debian：libpulse0），或不带声音录制 (sound.source none)。</translation>
    </message>
    <message>
        <source>microphones are heard on Linux only in this version</source>
        <translation>本版本只能在 Linux 上使用麦克风</translation>
    </message>
    <message>
        <source>Record without sound (sound.source none), or let OBS add it to the stream.</source>
        <translation>请不带声音录制 (sound.source none)，或让 OBS 加入声音。</translation>
    </message>
    <message>
        <source>Plug a microphone in and see that the system shows it, or record without (sound.source none).</source>
        <translation>请接上麦克风并确认系统已识别，或不带声音录制 (sound.source none)。</translation>
    </message>
    <message>
        <source>the slate picture {} cannot be read</source>
        <translation>无法读取遮挡图片 {}</translation>
    </message>
    <message>
        <source>Give a PNG or JPEG file.</source>
        <translation>请选择 PNG 或 JPEG 文件。</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>磁盘已满</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>没有权限</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>文件系统只读</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>没有这个文件或文件夹</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>这是一个文件夹</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>这不是文件夹</translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation>文件名太长</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>读写错误</translation>
    </message>
    <message>
        <source>Address already in use</source>
        <translation>地址已被占用</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>连接被拒绝</translation>
    </message>
    <message>
        <source>{}: {} is not allowed</source>
        <translation>{}：不能取 {}</translation>
    </message>
    <message>
        <source>there is no parameter {}</source>
        <translation>没有参数 {}</translation>
    </message>
    <message>
        <source>there is no preset {}</source>
        <translation>没有预设 {}</translation>
    </message>
    <message>
        <source>Presets: {}.</source>
        <translation>现有预设：{}。</translation>
    </message>
    <message>
        <source>{} cannot be the name of a preset</source>
        <translation>{} 不能用作预设的名称</translation>
    </message>
    <message>
        <source>the preset {} holds {}, which is no look</source>
        <translation>预设 {} 含有 {}，它不属于外观</translation>
    </message>
    <message>
        <source>Save it anew.</source>
        <translation>请重新保存。</translation>
    </message>
    <message>
        <source>the preset {} cannot be deleted</source>
        <translation>无法删除预设 {}</translation>
    </message>
    <message>
        <source>Check the folder&apos;s rights.</source>
        <translation>请检查文件夹的权限。</translation>
    </message>
    <message>
        <source>{} holds something else</source>
        <translation>{} 的内容不对</translation>
    </message>
    <message>
        <source>{} has the unknown version {}</source>
        <translation>{} 的版本 {} 无法识别</translation>
    </message>
    <message>
        <source>Move it away to start anew.</source>
        <translation>请将其移走以重新开始。</translation>
    </message>
    <message>
        <source>Mend it, or move it away to start anew.</source>
        <translation>请修正它，或将其移走以重新开始。</translation>
    </message>
    <message>
        <source>{}: {} cannot be read</source>
        <translation>{}：无法读取 {}</translation>
    </message>
    <message>
        <source>{} cannot be written</source>
        <translation>无法写入 {}</translation>
    </message>
    <message>
        <source>Check the folder&apos;s rights and space.</source>
        <translation>请检查文件夹的权限和磁盘空间。</translation>
    </message>
    <message>
        <source>It was put aside as {}.</source>
        <translation>它已另存为 {}。</translation>
    </message>
    <message>
        <source>It was put aside as {}; the usual settings are in force.</source>
        <translation>已改名为 {} 保留；现在使用默认设置。</translation>
    </message>
    <message>
        <source>{} is not a group</source>
        <translation>{} 不是参数组</translation>
    </message>
    <message>
        <source>Write [group] and below it name = value.</source>
        <translation>请先写 [组]，再在下面写 名称 = 值。</translation>
    </message>
    <message>
        <source>not on record: {}</source>
        <translation>未记录：{}</translation>
    </message>
    <message>
        <source>the audit log cannot be written</source>
        <translation>无法写入审计日志</translation>
    </message>
    <message>
        <source>the audit log cannot be written now</source>
        <translation>目前无法写入审计日志</translation>
    </message>
    <message>
        <source>Look at the audit badge.</source>
        <translation>请看审计标志。</translation>
    </message>
    <message>
        <source>The audit log is written again.</source>
        <translation>审计日志已恢复写入。</translation>
    </message>
    <message>
        <source>The audit log cannot be written: {}. {}</source>
        <translation>无法写入审计日志：{}。{}</translation>
    </message>
    <message>
        <source>The audit log cannot be written: {}.</source>
        <translation>无法写入审计日志：{}。</translation>
    </message>
    <message>
        <source>Events come too fast to be kept one by one; they are counted.</source>
        <translation>事件来得太快，无法逐条保存；已计数。</translation>
    </message>
    <message>
        <source>The audit log is shorter than it was: it was rolled back. A new log begins.</source>
        <translation>审计日志比以前短：它被回退过。已开始新的日志。</translation>
    </message>
    <message>
        <source>hands before the face are painted over</source>
        <translation>脸前的手用换脸画面盖住</translation>
    </message>
    <message>
        <source>{}: the consent was taken back, says the audit log</source>
        <translation>{}：审计日志显示该同意已被撤回</translation>
    </message>
    <message>
        <source>the consent was taken back, says the audit log</source>
        <translation>审计日志显示该同意已被撤回</translation>
    </message>
    <message>
        <source>{} is empty</source>
        <translation>{} 是空的</translation>
    </message>
    <message>
        <source>{} is no name</source>
        <translation>{} 不是姓名</translation>
    </message>
    <message>
        <source>Write whose face it is.</source>
        <translation>请写明这是谁的脸。</translation>
    </message>
    <message>
        <source>The audit log&apos;s file was deleted or replaced. A new log begins.</source>
        <translation>审计日志文件被删除或替换。已开始新的日志。</translation>
    </message>
    <message>
        <source>The audit log&apos;s key is gone. A new log begins.</source>
        <translation>审计日志的密钥已丢失。已开始新的日志。</translation>
    </message>
    <message>
        <source>The audit log&apos;s file is damaged. It is kept aside, and a new log begins.</source>
        <translation>审计日志文件已损坏。已保留原文件，并开始新的日志。</translation>
    </message>
    <message>
        <source>The visible label was switched off.</source>
        <translation>可见标识已关闭。</translation>
    </message>
    <message>
        <source>The invisible mark was switched off.</source>
        <translation>隐形标记已关闭。</translation>
    </message>
    <message>
        <source>The nudity check was switched off.</source>
        <translation>裸露检查已关闭。</translation>
    </message>
    <message>
        <source>More than {} exports within a minute.</source>
        <translation>一分钟内导出超过 {} 次。</translation>
    </message>
    <message>
        <source>Consent was denied more than {} times within a minute.</source>
        <translation>一分钟内拒绝同意超过 {} 次。</translation>
    </message>
    <message>
        <source>More than {} times {} by {} within a minute.</source>
        <translation>一分钟内 {2} 执行 {1} 超过 {0} 次。</translation>
    </message>
    <message>
        <source>{} wrong operator codes in a row.</source>
        <translation>连续 {} 次操作员验证码错误。</translation>
    </message>
    <message>
        <source>{} wrong operator codes in a row: no code is looked at for another {} seconds</source>
        <translation>连续 {} 次操作员验证码错误：{} 秒内不再验证</translation>
    </message>
    <message>
        <source>Wait, then give the code that is shown then.</source>
        <translation>请稍候，再输入届时显示的验证码。</translation>
    </message>
    <message>
        <source>that is not the operator&apos;s code, or it was used before</source>
        <translation>操作员验证码不对，或已经用过</translation>
    </message>
    <message>
        <source>Wait for the next code and try again.</source>
        <translation>请等下一个验证码再试。</translation>
    </message>
    <message>
        <source>another code is being looked at</source>
        <translation>正在验证另一个验证码</translation>
    </message>
    <message>
        <source>Try again.</source>
        <translation>请再试一次。</translation>
    </message>
    <message>
        <source>the operator&apos;s code cannot be checked: {}</source>
        <translation>无法验证操作员验证码：{}</translation>
    </message>
    <message>
        <source>Give the program&apos;s folder back its write permission.</source>
        <translation>请恢复程序文件夹的写入权限。</translation>
    </message>
    <message>
        <source>the export cannot be written: {}</source>
        <translation>无法写入导出文件：{}</translation>
    </message>
    <message>
        <source>Choose another place.</source>
        <translation>请选择别的位置。</translation>
    </message>
    <message>
        <source>the audit log cannot be read: {}</source>
        <translation>无法读取审计日志：{}</translation>
    </message>
    <message>
        <source>the audit log cannot be opened: {}</source>
        <translation>无法打开审计日志：{}</translation>
    </message>
    <message>
        <source>the audit log takes no rows: {}</source>
        <translation>审计日志无法写入：{}</translation>
    </message>
    <message>
        <source>the audit log&apos;s file was deleted or replaced</source>
        <translation>审计日志文件被删除或替换</translation>
    </message>
    <message>
        <source>A new log is begun.</source>
        <translation>已开始新的日志。</translation>
    </message>
    <message>
        <source>somebody else has written to the audit log</source>
        <translation>有别的程序写过审计日志</translation>
    </message>
    <message>
        <source>the audit log&apos;s disk does not answer</source>
        <translation>审计日志所在的磁盘没有响应</translation>
    </message>
    <message>
        <source>the audit writer hangs on its disk</source>
        <translation>审计日志的写入卡在磁盘上</translation>
    </message>
    <message>
        <source>{} could not be put on record</source>
        <translation>{} 无法记录在案</translation>
    </message>
    <message>
        <source>there is no audit log here</source>
        <translation>这里没有审计日志</translation>
    </message>
    <message>
        <source>nothing is live: there is nothing to pass through</source>
        <translation>尚未开始：没有可以直通的画面</translation>
    </message>
    <message>
        <source>{} is missing</source>
        <translation>缺少 {}</translation>
    </message>
    <message>
        <source>Install the program again.</source>
        <translation>请重新安装本程序。</translation>
    </message>
    <message>
        <source>Install the program again: the file is missing or damaged.</source>
        <translation>请重新安装本程序：文件缺失或已损坏。</translation>
    </message>
    <message>
        <source>the net {} cannot be loaded: {}</source>
        <translation>无法加载模型 {}：{}</translation>
    </message>
    <message>
        <source>{} paints one colour, no face</source>
        <translation>{} 只画出一种颜色，没有人脸</translation>
    </message>
    <message>
        <source>{} cannot be used: {}</source>
        <translation>{} 无法使用：{}</translation>
    </message>
    <message>
        <source>there is no home folder of {}</source>
        <translation>没有 {} 的主文件夹</translation>
    </message>
    <message>
        <source>Write the path in full.</source>
        <translation>请写出完整路径。</translation>
    </message>
    <message>
        <source>a checkpoint</source>
        <translation>检查点</translation>
    </message>
    <message>
        <source>keyring</source>
        <translation>钥匙串</translation>
    </message>
    <message>
        <source>file</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>the manifest</source>
        <translation>清单</translation>
    </message>
    <message>
        <source>{} (in the manifest)</source>
        <translation>{}（清单中）</translation>
    </message>
    <message>
        <source>there are no rows</source>
        <translation>没有任何记录</translation>
    </message>
    <message>
        <source>row {} follows row {}</source>
        <translation>第 {} 条记录紧跟在第 {} 条之后</translation>
    </message>
    <message>
        <source>row {} does not have the hash stored with it</source>
        <translation>第 {} 条记录与随附的哈希不符</translation>
    </message>
    <message>
        <source>row {} is not in canonical form</source>
        <translation>第 {} 条记录不是规范格式</translation>
    </message>
    <message>
        <source>row {} is longer than any row may be</source>
        <translation>第 {} 条记录超出允许的长度</translation>
    </message>
    <message>
        <source>row {} is no JSON</source>
        <translation>第 {} 条记录不是 JSON</translation>
    </message>
    <message>
        <source>row {} says that it is row {}</source>
        <translation>第 {} 条记录自称是第 {} 条</translation>
    </message>
    <message>
        <source>row {} does not follow the row before it</source>
        <translation>第 {} 条记录与前一条不衔接</translation>
    </message>
    <message>
        <source>row {}: the first row, and only it, begins a log</source>
        <translation>第 {} 条记录：只有首条记录才能开始一份日志</translation>
    </message>
    <message>
        <source>row {} belongs to another log</source>
        <translation>第 {} 条记录属于另一份日志</translation>
    </message>
    <message>
        <source>the clock was moved before row {}, and no row tells of it</source>
        <translation>第 {} 条记录之前时钟被调整过，却没有记录说明</translation>
    </message>
    <message>
        <source>row {}: {}</source>
        <translation>第 {} 条记录：{}</translation>
    </message>
    <message>
        <source>a row has other fields than the schema</source>
        <translation>记录的字段与规定不符</translation>
    </message>
    <message>
        <source>v, seq or mono_ns is not as the schema wants it</source>
        <translation>v、seq 或 mono_ns 不符合规定</translation>
    </message>
    <message>
        <source>a row of version {}: this program knows version {}</source>
        <translation>记录版本为 {}，本程序认识的版本是 {}</translation>
    </message>
    <message>
        <source>{}: one is not as the schema wants it</source>
        <translation>{}：其中一项不符合规定</translation>
    </message>
    <message>
        <source>a list stands where the schema wants a word</source>
        <translation>应为单词之处是列表</translation>
    </message>
    <message>
        <source>prev, timestamp or metadata is not as the schema wants it</source>
        <translation>prev、timestamp 或 metadata 不符合规定</translation>
    </message>
    <message>
        <source>the metadata of {} are not as the schema wants them</source>
        <translation>{} 的附加信息不符合规定</translation>
    </message>
    <message>
        <source>{} is no timestamp</source>
        <translation>{} 不是时间戳</translation>
    </message>
    <message>
        <source>{} is no moment of the calendar</source>
        <translation>{} 不是有效时刻</translation>
    </message>
    <message>
        <source>no JSON in UTF-8</source>
        <translation>不是 UTF-8 编码的 JSON</translation>
    </message>
    <message>
        <source>JSON, but not in canonical form</source>
        <translation>是 JSON，但不是规范格式</translation>
    </message>
    <message>
        <source>an integer of 2^53 or more</source>
        <translation>整数达到或超过 2^53</translation>
    </message>
    <message>
        <source>values nested more than {} deep</source>
        <translation>数值嵌套超过 {} 层</translation>
    </message>
    <message>
        <source>a {} has no canonical form</source>
        <translation>{} 没有规范格式</translation>
    </message>
    <message>
        <source>the key {} is not of [a-z0-9_]</source>
        <translation>键 {} 含有 [a-z0-9_] 以外的字符</translation>
    </message>
    <message>
        <source>a string that is not in Unicode form NFC</source>
        <translation>字符串不是 Unicode NFC 形式</translation>
    </message>
    <message>
        <source>a string with a lone surrogate</source>
        <translation>字符串含有孤立代理项</translation>
    </message>
    <message>
        <source>{} rows are wrong, and the others were not looked at</source>
        <translation>有 {} 条记录有误，其余未再检查</translation>
    </message>
    <message>
        <source>it is no JSON</source>
        <translation>不是 JSON</translation>
    </message>
    <message>
        <source>it does not have the hash stored with it</source>
        <translation>与随附的哈希不符</translation>
    </message>
    <message>
        <source>it says row {}</source>
        <translation>自称是第 {} 条记录</translation>
    </message>
    <message>
        <source>there is no checkpoint: nothing signs these rows</source>
        <translation>没有检查点：这些记录没有签名</translation>
    </message>
    <message>
        <source>the last {} rows are not sealed</source>
        <translation>最后 {} 条记录尚未封存</translation>
    </message>
    <message>
        <source>checkpoint {} is missing before that of {} rows</source>
        <translation>缺少检查点 {}（在 {} 条记录的检查点之前）</translation>
    </message>
    <message>
        <source>checkpoint {} names epoch {}, not {}</source>
        <translation>检查点 {} 写的密钥编号是 {}，而不是 {}</translation>
    </message>
    <message>
        <source>checkpoint {} is not signed by the key of epoch {}</source>
        <translation>检查点 {} 不是由编号 {} 的密钥签名的</translation>
    </message>
    <message>
        <source>checkpoint {}: {}</source>
        <translation>检查点 {}：{}</translation>
    </message>
    <message>
        <source>the checkpoint of {} rows is one of another tree</source>
        <translation>{} 条记录的检查点属于另一份日志</translation>
    </message>
    <message>
        <source>the rows up to {} are not those that were sealed</source>
        <translation>截至第 {} 条的记录不是当初封存的记录</translation>
    </message>
    <message>
        <source>epoch {} was not closed by its own key</source>
        <translation>编号 {} 的密钥没有自行签名收尾</translation>
    </message>
    <message>
        <source>row {} begins epoch {} after {}</source>
        <translation>第 {} 条记录启用编号 {} 的密钥，而前一个是 {}</translation>
    </message>
    <message>
        <source>row {} replaces a key that was not in force</source>
        <translation>第 {} 条记录替换的密钥并未生效</translation>
    </message>
    <message>
        <source>a newer version of the program made the database: verify it with that version</source>
        <translation>该数据库由本程序的更新版本建立：请用该版本核验</translation>
    </message>
    <message>
        <source>the log does not begin with a key whose fingerprint was given</source>
        <translation>日志不是以所给指纹的密钥开始的</translation>
    </message>
    <message>
        <source>no signed note</source>
        <translation>不是签名文书</translation>
    </message>
    <message>
        <source>a note&apos;s text ends in one newline and has no empty line</source>
        <translation>签名文书须以一个换行结尾且没有空行</translation>
    </message>
    <message>
        <source>a line below the note is no signature</source>
        <translation>签名文书下方有一行不是签名</translation>
    </message>
    <message>
        <source>a signature is not base64</source>
        <translation>签名不是 base64</translation>
    </message>
    <message>
        <source>the note is no checkpoint</source>
        <translation>签名文书不是检查点</translation>
    </message>
    <message>
        <source>the note is no checkpoint of this program</source>
        <translation>签名文书不是本程序的检查点</translation>
    </message>
    <message>
        <source>nothing outside the log tells how long it was</source>
        <translation>日志之外没有任何东西能证明它原有多长</translation>
    </message>
    <message>
        <source>the head in the private file</source>
        <translation>私有文件中的末端记录</translation>
    </message>
    <message>
        <source>the head in the keyring</source>
        <translation>钥匙串中的末端记录</translation>
    </message>
    <message>
        <source>the head in the {} (unreadable)</source>
        <translation>{}中的末端记录（无法读取）</translation>
    </message>
    <message>
        <source>every line of this log in heads.log</source>
        <translation>heads.log 中本日志的所有行</translation>
    </message>
    <message>
        <source>{} remembers other rows up to {}</source>
        <translation>{} 所记的至第 {} 条的记录与此不同</translation>
    </message>
    <message>
        <source>{} remembers a checkpoint at {}</source>
        <translation>{} 记得第 {} 条处有检查点</translation>
    </message>
    <message>
        <source>{} tells of {} rows, there are {}</source>
        <translation>{} 说有 {} 条记录，实际有 {} 条</translation>
    </message>
    <message>
        <source>{} tells the next opening of another log at {}</source>
        <translation>{} 所记的下次续写状态在第 {} 条处属于另一份日志</translation>
    </message>
    <message>
        <source>heads.log lacks the line of the checkpoint at {}</source>
        <translation>heads.log 缺少第 {} 条处检查点的那一行</translation>
    </message>
    <message>
        <source>{} lines of heads.log are none that the program wrote</source>
        <translation>heads.log 中有 {} 行不是本程序写入的</translation>
    </message>
    <message>
        <source>the private file&apos;s head was set back to {}: it had {}</source>
        <translation>私有文件的末端被退回到第 {} 条：原为第 {} 条</translation>
    </message>
    <message>
        <source>what tells of {} rows is out of order</source>
        <translation>关于 {} 条记录的凭证次序有误</translation>
    </message>
    <message>
        <source>the log {} was written here, and no file that can be read holds it</source>
        <translation>日志 {} 曾在此写入，但没有可读的文件包含它</translation>
    </message>
    <message>
        <source>{} was not written here</source>
        <translation>{} 不是在此写入的</translation>
    </message>
    <message>
        <source>the archive {} is missing: erased, or taken away</source>
        <translation>归档 {} 缺失：被删除或移走</translation>
    </message>
    <message>
        <source>the archive {} was altered</source>
        <translation>归档 {} 被改动</translation>
    </message>
    <message>
        <source>the archive {} does not hold the rows that its name says</source>
        <translation>归档 {} 所含的记录与其名称不符</translation>
    </message>
    <message>
        <source>the archive {} cannot be read: {}</source>
        <translation>无法读取归档 {}：{}</translation>
    </message>
    <message>
        <source>the archives do not hold all rows up to {}</source>
        <translation>归档没有包含截至第 {} 条的全部记录</translation>
    </message>
    <message>
        <source>rows up to {} are gone, and {}</source>
        <translation>截至第 {} 条的记录已不在，而且{}</translation>
    </message>
    <message>
        <source>the frontier kept for them is another one</source>
        <translation>为其保留的摘要不符</translation>
    </message>
    <message>
        <source>the row that says so tells of them otherwise</source>
        <translation>说明此事的记录所述不符</translation>
    </message>
    <message>
        <source>the row that says so speaks of others</source>
        <translation>说明此事的记录指的是其他记录</translation>
    </message>
    <message>
        <source>the row that says so is not sealed</source>
        <translation>说明此事的记录未封存</translation>
    </message>
    <message>
        <source>no row says that they were pruned</source>
        <translation>没有记录说明它们已被清理</translation>
    </message>
    <message>
        <source>the anchor is none: {}</source>
        <translation>外部凭证无效：{}</translation>
    </message>
    <message>
        <source>the anchor tells of {} rows, which are not at hand</source>
        <translation>外部凭证涉及的 {} 条记录不在手边</translation>
    </message>
    <message>
        <source>the anchor tells of {} rows, there are {}</source>
        <translation>外部凭证说有 {} 条记录，实际有 {} 条</translation>
    </message>
    <message>
        <source>the anchor is not signed by a key of this log</source>
        <translation>外部凭证不是由本日志的密钥签名的</translation>
    </message>
    <message>
        <source>the anchor seals other rows up to {}</source>
        <translation>外部凭证封存的至第 {} 条的记录与此不同</translation>
    </message>
    <message>
        <source>row {} is not the one that was forwarded</source>
        <translation>第 {} 条记录不是当初转发的那一条</translation>
    </message>
    <message>
        <source>row {} was forwarded and is gone</source>
        <translation>第 {} 条记录曾被转发，现已不在</translation>
    </message>
    <message>
        <source>{} rows that were forwarded are not at hand to be compared</source>
        <translation>曾转发的 {} 条记录不在手边，无法比对</translation>
    </message>
    <message>
        <source>{} lines are no rows</source>
        <translation>有 {} 行不是记录</translation>
    </message>
    <message>
        <source>the log {} was kept and is not here</source>
        <translation>日志 {} 曾另行保存，但不在此处</translation>
    </message>
    <message>
        <source>line {} is no row in canonical form</source>
        <translation>第 {} 行不是规范格式的记录</translation>
    </message>
    <message>
        <source>row {} does not belong here</source>
        <translation>第 {} 条记录不属于此处</translation>
    </message>
    <message>
        <source>row {} is not proven to stand in the log</source>
        <translation>未能证明第 {} 条记录在日志中</translation>
    </message>
    <message>
        <source>{} rows are wrong: others were not looked at</source>
        <translation>有 {} 条记录有误，其余未检查</translation>
    </message>
    <message>
        <source>the last checkpoint is not signed by the log&apos;s key</source>
        <translation>最后的检查点不是由本日志的密钥签名的</translation>
    </message>
    <message>
        <source>a row that names a key is missing</source>
        <translation>缺少一条说明密钥的记录</translation>
    </message>
    <message>
        <source>the anchor is no checkpoint of this log</source>
        <translation>外部凭证不是本日志的检查点</translation>
    </message>
    <message>
        <source>an anchor of {} rows cannot be laid beside some rows only</source>
        <translation>只有部分记录时，无法与 {} 条记录的外部凭证比对</translation>
    </message>
    <message>
        <source>the anchor seals other rows</source>
        <translation>外部凭证封存的是其他记录</translation>
    </message>
    <message>
        <source>none of the rows that were forwarded is in this export</source>
        <translation>曾转发的记录都不在此导出中</translation>
    </message>
    <message>
        <source>a filtered export shows that its rows stand in the log, not that no row was left out</source>
        <translation>经筛选的导出只能证明其中的记录在日志中，不能证明没有遗漏</translation>
    </message>
    <message>
        <source>{} is no file</source>
        <translation>{} 不是文件</translation>
    </message>
    <message>
        <source>{} is damaged: {}</source>
        <translation>{} 已损坏：{}</translation>
    </message>
    <message>
        <source>{} cannot be read now: {}</source>
        <translation>{} 现在无法读取：{}</translation>
    </message>
    <message>
        <source>the database</source>
        <translation>数据库</translation>
    </message>
    <message>
        <source>the log is damaged: {}</source>
        <translation>日志已损坏：{}</translation>
    </message>
    <message>
        <source>the horizon is damaged: {}</source>
        <translation>清理界限已损坏：{}</translation>
    </message>
    <message>
        <source>rows are missing</source>
        <translation>缺少记录</translation>
    </message>
    <message>
        <source>the first row is damaged</source>
        <translation>首条记录已损坏</translation>
    </message>
    <message>
        <source>the first row names no log</source>
        <translation>首条记录没有写明日志</translation>
    </message>
    <message>
        <source>row {} is damaged</source>
        <translation>第 {} 条记录已损坏</translation>
    </message>
    <message>
        <source>a checkpoint is damaged</source>
        <translation>有检查点已损坏</translation>
    </message>
    <message>
        <source>{} does not begin as a log does</source>
        <translation>{} 的开头不是日志应有的样子</translation>
    </message>
    <message>
        <source>{} is missing from the database&apos;s schema</source>
        <translation>数据库结构中缺少 {}</translation>
    </message>
    <message>
        <source>{} is not as the schema has it</source>
        <translation>{} 与规定的结构不符</translation>
    </message>
    <message>
        <source>{} does not belong in the database</source>
        <translation>{} 不应出现在数据库中</translation>
    </message>
    <message>
        <source>Copy its folder to where files can be written, and verify the copy.</source>
        <translation>请把其文件夹复制到可写的位置，再核验副本。</translation>
    </message>
    <message>
        <source>Wait until the other program lets go of it.</source>
        <translation>请等另一个程序不再占用它。</translation>
    </message>
    <message>
        <source>Free some space on the disk, or see whether it is sound.</source>
        <translation>请腾出磁盘空间，或检查磁盘是否正常。</translation>
    </message>
    <message>
        <source>Give yourself the right to read the program&apos;s folder.</source>
        <translation>请给自己读取程序文件夹的权限。</translation>
    </message>
    <message>
        <source>Name the program&apos;s home with --home.</source>
        <translation>请用 --home 指明程序主文件夹。</translation>
    </message>
    <message>
        <source>a running program is writing this log</source>
        <translation>有程序正在写这份日志</translation>
    </message>
    <message>
        <source>{} lines of this log stand twice in heads.log</source>
        <translation>heads.log 中本日志有 {} 行重复出现</translation>
    </message>
    <message>
        <source>{} holds the same log as {}</source>
        <translation>{} 与 {} 是同一份日志</translation>
    </message>
    <message>
        <source>the last {} rows are chained but not sealed yet</source>
        <translation>最后 {} 条记录已成链，但尚未封存</translation>
    </message>
    <message>
        <source>the clock was moved by {} ms at row {}</source>
        <translation>时钟被调整了 {} 毫秒，见第 {} 条记录</translation>
    </message>
    <message>
        <source>the last row is {} s ahead of this machine&apos;s clock</source>
        <translation>最后一条记录比本机时钟超前 {} 秒</translation>
    </message>
    <message>
        <source>unclean end: {} did not stop before row {}</source>
        <translation>非正常结束：{} 在第 {} 条记录之前没有停止</translation>
    </message>
    <message>
        <source>unclean end, or still running: {} did not stop</source>
        <translation>非正常结束，或仍在运行：{} 没有停止</translation>
    </message>
    <message>
        <source>nothing had sealed the {} rows before row {} when that session found them</source>
        <translation>{} 条记录（在第 {} 条之前）在该会话接手时尚未封存</translation>
    </message>
    <message>
        <source>row {} tells the genesis key and where rows up to {} ended; nothing shows it</source>
        <translation>第 {} 条记录写明首个密钥和截至第 {} 条的记录终点；没有其他佐证</translation>
    </message>
    <message>
        <source>this log was begun because the one before it was {}</source>
        <translation>开始这份日志是因为前一份{}</translation>
    </message>
    <message>
        <source>{} rows of the log {} before this one were lost with it</source>
        <translation>随此前日志丢失了 {} 行，该日志为 {}</translation>
    </message>
    <message>
        <source>rolled back</source>
        <translation>被回退</translation>
    </message>
    <message>
        <source>replaced</source>
        <translation>被替换</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>已损坏</translation>
    </message>
    <message>
        <source>key lost</source>
        <translation>密钥丢失</translation>
    </message>
    <message>
        <source>no keyring: the head is kept in a file beside the log</source>
        <translation>没有钥匙串：末端记录保存在日志旁的文件中</translation>
    </message>
    <message>
        <source>the keyring that had the head cannot be read now; the file beside the log has it</source>
        <translation>存有末端记录的钥匙串现在无法读取；日志旁的文件中有</translation>
    </message>
    <message>
        <source>the outbox says that {} took row {}, which is not there: it is sent all again</source>
        <translation>发件箱说 {} 已收第 {} 条记录，但该记录不存在：将全部重发</translation>
    </message>
    <message>
        <source>{}: {}</source>
        <translation>{}：{}</translation>
    </message>
    <message>
        <source>{}. {}</source>
        <translation>{}。{}</translation>
    </message>
    <message>
        <source>If it may be used: press &quot;Renew…&quot; below this person. Once forgotten: facefusion-live consent renew.</source>
        <translation>若可以使用：请在此人下方按“续期…”。若此人已被移除：facefusion-live consent renew。</translation>
    </message>
    <message>
        <source>If it may be used: the second person presses &quot;Approve…&quot; below this person.</source>
        <translation>若可以使用：请第二人在此人下方按“批准…”。</translation>
    </message>
    <message>
        <source>Give name, document and last day.</source>
        <translation>请填写姓名、文件和截止日期。</translation>
    </message>
    <message>
        <source>stage failed</source>
        <translation>处理出错</translation>
    </message>
    <message>
        <source>not composed</source>
        <translation>画面未合成</translation>
    </message>
    <message>
        <source>no face</source>
        <translation>画面中没有人脸</translation>
    </message>
    <message>
        <source>nobody who is enrolled</source>
        <translation>没有已登记的人</translation>
    </message>
    <message>
        <source>face lost</source>
        <translation>人脸丢失</translation>
    </message>
    <message>
        <source>no patch</source>
        <translation>没有换脸结果</translation>
    </message>
    <message>
        <source>not finite</source>
        <translation>数值异常</translation>
    </message>
    <message>
        <source>track and detection disagree</source>
        <translation>跟踪与检测不一致</translation>
    </message>
    <message>
        <source>mesh off the face</source>
        <translation>网格偏离人脸</translation>
    </message>
    <message>
        <source>not covered</source>
        <translation>人脸未完全遮盖</translation>
    </message>
    <message>
        <source>face not changed</source>
        <translation>面孔没有改变</translation>
    </message>
    <message>
        <source>masks leave too much bare</source>
        <translation>遮罩露出的脸太多</translation>
    </message>
    <message>
        <source>panic</source>
        <translation>紧急</translation>
    </message>
    <message>
        <source>consent</source>
        <translation>同意已撤回</translation>
    </message>
    <message>
        <source>content</source>
        <translation>画面内容不允许</translation>
    </message>
    <message>
        <source>opening</source>
        <translation>正在打开</translation>
    </message>
    <message>
        <source>running</source>
        <translation>运行中</translation>
    </message>
    <message>
        <source>reconnecting</source>
        <translation>正在重连</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>closed</source>
        <translation>已关闭</translation>
    </message>
</context>
<context>
    <name>EngineSection</name>
    <message>
        <source>Engine</source>
        <translation>引擎</translation>
    </message>
    <message>
        <source>Look for engines again</source>
        <translation>重新查找引擎</translation>
    </message>
    <message>
        <source>Loading; until it is ready, {engine} goes on.</source>
        <translation>正在加载；就绪之前继续使用 {engine}。</translation>
    </message>
    <message>
        <source>More engines are models that you bring: facefusion-live models list</source>
        <translation>更多引擎是您自带的模型：facefusion-live models list</translation>
    </message>
    <message>
        <source>Runs on {provider}.</source>
        <translation>运行于 {provider}。</translation>
    </message>
    <message>
        <source>Built in: mesh</source>
        <translation>内置：mesh</translation>
    </message>
</context>
<context>
    <name>GroupForm</name>
    <message>
        <source>Reset all of this group</source>
        <translation>重置本组</translation>
    </message>
    <message>
        <source>These act from the next start.</source>
        <translation>下次开始时生效。</translation>
    </message>
</context>
<context>
    <name>GuestCard</name>
    <message>
        <source>There is no face in the picture.</source>
        <translation>画面中没有脸。</translation>
    </message>
    <message>
        <source>Forget {name}: nothing is kept of this face</source>
        <translation>删除 {name}：不再保留这张脸的任何数据</translation>
    </message>
    <message>
        <source>looks: {count}</source>
        <translation>取样次数：{count}</translation>
    </message>
    <message>
        <source>Face for {name}</source>
        <translation>{name} 使用的脸</translation>
    </message>
    <message>
        <source>As chosen above</source>
        <translation>与上面所选相同</translation>
    </message>
    <message>
        <source>Click on a face in the picture to enrol it; then Replace can be set to people enrolled.</source>
        <translation>点击画面中的一张脸即可登记；之后“替换”可设为“已登记的人”。</translation>
    </message>
    <message>
        <source>The face is kept on this machine as numbers (biometric data) until you forget it.</source>
        <translation>这张脸以数字形式（生物特征数据）保存在本机，直到您将其删除。</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Name of the face</source>
        <translation>这张脸的名称</translation>
    </message>
    <message>
        <source>Enrol</source>
        <translation>登记</translation>
    </message>
    <message>
        <source>Enrol the largest face</source>
        <translation>登记最大的脸</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>{name} is enrolled</source>
        <translation>{name} 已登记</translation>
    </message>
</context>
<context>
    <name>HistoryCard</name>
    <message>
        <source>Undo {step}</source>
        <translation>撤销：{step}</translation>
    </message>
    <message>
        <source>Redo {step}</source>
        <translation>重做：{step}</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
</context>
<context>
    <name>KeptConsent</name>
    <message>
        <source>The signed document</source>
        <translation>已签署的文件</translation>
    </message>
    <message>
        <source>Approve…</source>
        <translation>批准…</translation>
    </message>
    <message>
        <source>The second person gives the operator&apos;s code.</source>
        <translation>由第二人输入操作员验证码。</translation>
    </message>
    <message>
        <source>Renew…</source>
        <translation>续期…</translation>
    </message>
    <message>
        <source>Take back</source>
        <translation>撤回</translation>
    </message>
    <message>
        <source>The face stays here, and may not be used any more.</source>
        <translation>此面孔仍保留在此处，但不得再使用。</translation>
    </message>
    <message>
        <source>Last day on which it holds</source>
        <translation>有效期的最后一天</translation>
    </message>
    <message>
        <source>A new document …</source>
        <translation>新文件…</translation>
    </message>
    <message>
        <source>It stays where it is; its SHA-256 is kept.</source>
        <translation>文件留在原处，只保存其 SHA-256。</translation>
    </message>
    <message>
        <source>Renew</source>
        <translation>续期</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>without a name</source>
        <translation>无名称</translation>
    </message>
    <message>
        <source>Document: {name}, SHA-256 {digest}…</source>
        <translation>文件：{name}，SHA-256 {digest}…</translation>
    </message>
    <message>
        <source>Holds until {day}</source>
        <translation>有效至 {day}</translation>
    </message>
    <message>
        <source>Holds without an end</source>
        <translation>长期有效</translation>
    </message>
    <message>
        <source>Given on {day}, put down by {user}</source>
        <translation>{day} 给出，由 {user} 登记</translation>
    </message>
    <message>
        <source>Given on {day}</source>
        <translation>{day} 给出</translation>
    </message>
    <message>
        <source>Approved by the second person on {day}</source>
        <translation>第二人已于 {day} 批准</translation>
    </message>
    <message>
        <source>Not approved by a second person</source>
        <translation>未经第二人批准</translation>
    </message>
    <message>
        <source>Taken back on {day}</source>
        <translation>已于 {day} 撤回</translation>
    </message>
    <message>
        <source>Take the consent of {name} back?</source>
        <translation>撤回 {name} 的同意？</translation>
    </message>
    <message>
        <source>While the face is in use, the slate goes out at once.</source>
        <translation>如果此面孔正在使用，将立即切换到遮挡画面。</translation>
    </message>
</context>
<context>
    <name>KeysDialog</name>
    <message>
        <source>{0} is needed to get about. Choose another key.</source>
        <translation>{0} 是操作界面所需的按键，请换一个。</translation>
    </message>
    <message>
        <source>{0} is taken by: {1}. Choose another key.</source>
        <translation>{0} 已用于：{1}。请换一个键。</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
    <message>
        <source>Esc struck twice is always Panic. Click a field and press the new key.</source>
        <translation>连按两次 Esc 始终是紧急遮挡。点击输入框并按下新的键。</translation>
    </message>
    <message>
        <source>Usual keys</source>
        <translation>恢复默认</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Panels</source>
        <translation>面板</translation>
    </message>
</context>
<context>
    <name>Menus</name>
    <message>
        <source>&amp;Session</source>
        <translation>会话(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>编辑(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>视图(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>帮助(&amp;H)</translation>
    </message>
    <message>
        <source>Panels</source>
        <translation>面板</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Usual layout</source>
        <translation>默认布局</translation>
    </message>
    <message>
        <source>About FaceFusion Live</source>
        <translation>关于 FaceFusion Live</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
</context>
<context>
    <name>NoticeLine</name>
    <message numerus="yes">
        <source>%n more</source>
        <translation>
            <numerusform>还有 %n 条</numerusform>
        </translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>知道了</translation>
    </message>
</context>
<context>
    <name>OnAirBar</name>
    <message>
        <source>{0} events stored, {1} turned away by the flood limit, {2} lost</source>
        <translation>已存 {0} 条，因限流略去 {1} 条，丢失 {2} 条</translation>
    </message>
    <message>
        <source>Getting ready …</source>
        <translation>正在准备…</translation>
    </message>
    <message>
        <source>Finishing …</source>
        <translation>正在收尾…</translation>
    </message>
    <message>
        <source>Nothing goes out</source>
        <translation>没有画面输出</translation>
    </message>
    <message>
        <source>Panic: the slate is shown until you resume</source>
        <translation>紧急：恢复之前一直显示遮挡画面</translation>
    </message>
    <message>
        <source>The slate is shown: {}</source>
        <translation>正在显示遮挡画面：{}</translation>
    </message>
    <message>
        <source>Every face is covered</source>
        <translation>所有人脸都已遮盖</translation>
    </message>
    <message>
        <source>The last good picture is held</source>
        <translation>保持最后一幅合格画面</translation>
    </message>
    <message>
        <source>The slate is shown</source>
        <translation>正在显示遮挡画面</translation>
    </message>
    <message>
        <source>A bare face may be on air: pass-through</source>
        <translation>直通：真实人脸可能正在播出</translation>
    </message>
    <message>
        <source>pass-through is armed</source>
        <translation>直通已启用</translation>
    </message>
    <message>
        <source>demo clip</source>
        <translation>演示短片</translation>
    </message>
    <message>
        <source>{} paused</source>
        <translation>{} 已暂停</translation>
    </message>
    <message>
        <source>{0}, {1} MB</source>
        <translation>{0},{1} MB</translation>
    </message>
    <message numerus="yes">
        <source>%n watching</source>
        <translation>
            <numerusform>%n 个程序在读取</numerusform>
        </translation>
    </message>
    <message>
        <source>Programs that read the virtual camera</source>
        <translation>正在读取虚拟摄像头的程序</translation>
    </message>
    <message>
        <source>No label</source>
        <translation>无标识</translation>
    </message>
    <message>
        <source>No mark</source>
        <translation>无隐形标记</translation>
    </message>
    <message>
        <source>No label, no mark</source>
        <translation>无标识，无隐形标记</translation>
    </message>
    <message>
        <source>No nudity check</source>
        <translation>无裸露检查</translation>
    </message>
    <message>
        <source>Left out, and on record: {}</source>
        <translation>已去掉并记录在案：{}</translation>
    </message>
    <message>
        <source>Label on</source>
        <translation>标识已开启</translation>
    </message>
    <message>
        <source>Every picture says that it is synthesised.</source>
        <translation>每一帧画面都标明为合成。</translation>
    </message>
    <message>
        <source>Lighter</source>
        <translation>已简化</translation>
    </message>
    <message>
        <source>On air</source>
        <translation>播出状态</translation>
    </message>
    <message>
        <source>PANIC</source>
        <translation>紧急</translation>
    </message>
    <message>
        <source>Shows the slate at once. Esc struck twice does the same.</source>
        <translation>立即显示遮挡画面。连按两次 Esc 效果相同。</translation>
    </message>
    <message>
        <source>Panic</source>
        <translation>紧急遮挡</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>恢复</translation>
    </message>
</context>
<context>
    <name>OutputPanel</name>
    <message>
        <source>Recording</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>Where it goes</source>
        <translation>输出到</translation>
    </message>
    <message>
        <source>Picture kept: {name}</source>
        <translation>已保存图片：{name}</translation>
    </message>
</context>
<context>
    <name>Panel</name>
    <message>
        <source>Sources</source>
        <translation>人脸</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>Presets</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>输出</translation>
    </message>
    <message>
        <source>Safety</source>
        <translation>安全</translation>
    </message>
    <message>
        <source>Performance</source>
        <translation>性能</translation>
    </message>
    <message>
        <source>Audit</source>
        <translation>审计</translation>
    </message>
</context>
<context>
    <name>ParameterRow</name>
    <message>
        <source>at next start</source>
        <translation>下次开始生效</translation>
    </message>
    <message>
        <source>Back to {value}</source>
        <translation>恢复为 {value}</translation>
    </message>
</context>
<context>
    <name>PassThrough</name>
    <message>
        <source>Whenever no face is covered, your own can be seen.</source>
        <translation>只要人脸没有被遮盖，就会露出你的真实面容。</translation>
    </message>
    <message>
        <source>Arm pass-through…</source>
        <translation>启用直通…</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Hold to arm</source>
        <translation>按住以启用</translation>
    </message>
    <message>
        <source>Hold for one second: the bare camera may go out.</source>
        <translation>按住一秒：允许输出未处理的摄像头画面。</translation>
    </message>
    <message>
        <source>Disarm</source>
        <translation>停用直通</translation>
    </message>
    <message>
        <source>Can be armed while live. Each session begins without it.</source>
        <translation>直播中才能启用，每次会话开始时都是关闭的。</translation>
    </message>
    <message>
        <source>Sends the bare camera when no face is covered, instead of the slate. It is put on record.</source>
        <translation>人脸未遮盖时输出原始画面而不是遮挡画面。此操作会被记录。</translation>
    </message>
    <message>
        <source>The bare camera is going out</source>
        <translation>正在输出未处理的摄像头画面</translation>
    </message>
    <message>
        <source>Pass-through is armed</source>
        <translation>直通已启用</translation>
    </message>
</context>
<context>
    <name>PerformancePanel</name>
    <message>
        <source>Out</source>
        <translation>输出</translation>
    </message>
    <message>
        <source>frames/s</source>
        <translation>帧/秒</translation>
    </message>
    <message>
        <source>Latency, 95 %</source>
        <translation>延迟(95%)</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>毫秒</translation>
    </message>
    <message>
        <source>Dropped</source>
        <translation>丢帧</translation>
    </message>
    <message>
        <source>frames</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>MiB</source>
        <translation>MiB</translation>
    </message>
    <message>
        <source>Where the time goes</source>
        <translation>耗时分布</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>Milliseconds of each stage over the last minute</source>
        <translation>最近一分钟各阶段耗时(毫秒)</translation>
    </message>
    <message>
        <source>The last minute. Dashed: beyond this, lips and voice part.</source>
        <translation>最近一分钟。超过虚线，口型与声音会不同步。</translation>
    </message>
    <message>
        <source>Governor</source>
        <translation>调节器</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>引擎</translation>
    </message>
    <message>
        <source>Composing</source>
        <translation>合成</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>leaves nothing out</source>
        <translation>没有省略</translation>
    </message>
    <message>
        <source>off</source>
        <translation>关</translation>
    </message>
    <message>
        <source>leaves things out</source>
        <translation>正在省略部分计算</translation>
    </message>
    <message>
        <source>before inference</source>
        <translation>推理之前</translation>
    </message>
    <message>
        <source>before rendering</source>
        <translation>渲染之前</translation>
    </message>
    <message>
        <source>too old</source>
        <translation>过时</translation>
    </message>
</context>
<context>
    <name>PersonCard</name>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Photos</source>
        <translation>照片</translation>
    </message>
    <message>
        <source>More photos of this person make the face better.</source>
        <translation>多加几张此人的照片，效果更好。</translation>
    </message>
    <message>
        <source>Forget this person</source>
        <translation>删除此人</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>photos: {count}</source>
        <translation>照片：{count}</translation>
    </message>
    <message>
        <source>Forget {name}?</source>
        <translation>删除 {name}？</translation>
    </message>
    <message>
        <source>The consent is taken back, on record. The photos stay where they are.</source>
        <translation>同意将撤回并记录。照片文件保持不动。</translation>
    </message>
</context>
<context>
    <name>PresetsPanel</name>
    <message>
        <source>Presets</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>History</source>
        <translation>历史</translation>
    </message>
    <message>
        <source>Name of this look</source>
        <translation>此外观的名称</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Recall</source>
        <translation>调用</translation>
    </message>
    <message>
        <source>Morph in</source>
        <translation>渐变用时</translation>
    </message>
    <message>
        <source>Move there slowly; one step to undo.</source>
        <translation>缓慢过渡；一步即可撤销。</translation>
    </message>
    <message>
        <source> s</source>
        <translation> 秒</translation>
    </message>
    <message>
        <source>Seconds of the morph</source>
        <translation>渐变秒数</translation>
    </message>
    <message>
        <source>Delete this preset</source>
        <translation>删除此预设</translation>
    </message>
    <message>
        <source>Save a look that you like, and come back to it with one click.</source>
        <translation>保存喜欢的外观，一键即可恢复。</translation>
    </message>
    <message>
        <source>What {name} would change</source>
        <translation>{name} 会改变的内容</translation>
    </message>
    <message>
        <source>Delete {name}? Press again.</source>
        <translation>删除 {name}？再按一次确认。</translation>
    </message>
</context>
<context>
    <name>ReasonDialog</name>
    <message>
        <source>Why should pictures go out without the label?</source>
        <translation>为什么画面要不带标识输出？</translation>
    </message>
    <message>
        <source>Why should pictures go out without the invisible mark?</source>
        <translation>为什么画面要不带隐形标记输出？</translation>
    </message>
    <message>
        <source>Why should nobody look whether the scene is nude?</source>
        <translation>为什么不检查画面是否裸露？</translation>
    </message>
    <message>
        <source>Why should pictures go out without label and mark?</source>
        <translation>为什么画面要不带标识和隐形标记输出？</translation>
    </message>
    <message>
        <source>Why should all of this be left out: label or mark, and the nudity check?</source>
        <translation>为什么要去掉标识或隐形标记，并关闭裸露检查？</translation>
    </message>
    <message>
        <source>Leave out the label</source>
        <translation>去掉标识</translation>
    </message>
    <message>
        <source>Switch off the nudity check</source>
        <translation>关闭裸露检查</translation>
    </message>
    <message>
        <source>The broadcaster adds its own</source>
        <translation>播出方会加上自己的标识</translation>
    </message>
    <message>
        <source>A life drawing class, for adults</source>
        <translation>面向成人的人体写生课</translation>
    </message>
    <message>
        <source>Your reason goes on record before anything is switched off, and the bar shows it meanwhile.</source>
        <translation>关闭之前，您的理由会先记录在案；关闭期间，状态栏会一直显示。</translation>
    </message>
    <message>
        <source>Many countries ask that swapped pictures say so. Your reason goes on record before anything is left out, and the bar shows it for as long as it lasts.</source>
        <translation>许多国家要求换脸画面加以说明。去掉之前，您的理由会先记录在案；去掉期间，状态栏会一直显示。</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>去掉</translation>
    </message>
    <message>
        <source>Switch off</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保留</translation>
    </message>
</context>
<context>
    <name>RecordingCard</name>
    <message>
        <source>Not recording</source>
        <translation>未在录制</translation>
    </message>
    <message>
        <source>Can be started while live.</source>
        <translation>直播时可以开始。</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>运行中</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Snapshot</source>
        <translation>截图</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>文件夹</translation>
    </message>
    <message>
        <source>Film</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>The system&apos;s folders</source>
        <translation>系统文件夹</translation>
    </message>
    <message>
        <source>MP4, small</source>
        <translation>MP4，体积小</translation>
    </message>
    <message>
        <source>MKV, lossless</source>
        <translation>MKV，无损</translation>
    </message>
    <message>
        <source>Choose a folder…</source>
        <translation>选择文件夹…</translation>
    </message>
    <message>
        <source>Where recordings and pictures go</source>
        <translation>录像和图片的保存位置</translation>
    </message>
</context>
<context>
    <name>RowsModel</name>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>What</source>
        <translation>事件</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>About</source>
        <translation>对象</translation>
    </message>
</context>
<context>
    <name>RowsView</name>
    <message>
        <source>Result</source>
        <translation>结果</translation>
    </message>
</context>
<context>
    <name>SafetyPanel</name>
    <message>
        <source>Pictures that went out not covered: {count}</source>
        <translation>未遮盖就输出的画面：{count}</translation>
    </message>
    <message>
        <source>Stop, and report this: the gate failed.</source>
        <translation>请停止并报告：安全闸失效。</translation>
    </message>
    <message>
        <source>Pass-through</source>
        <translation>直通</translation>
    </message>
    <message>
        <source>No session: nothing goes out.</source>
        <translation>没有会话：不输出任何画面。</translation>
    </message>
    <message>
        <source>Because: {fault}</source>
        <translation>原因：{fault}</translation>
    </message>
    <message>
        <source>Shut</source>
        <translation>已关闭</translation>
    </message>
    <message>
        <source>Open: every face is covered</source>
        <translation>已放行：所有人脸都已遮盖</translation>
    </message>
    <message>
        <source>Holding the last good picture</source>
        <translation>保持最后一幅合格画面</translation>
    </message>
    <message>
        <source>Shut: the slate is shown</source>
        <translation>已关闭：显示遮挡画面</translation>
    </message>
    <message>
        <source>Passing: the bare camera goes out</source>
        <translation>直通：正在输出原始画面</translation>
    </message>
    <message>
        <source>Lower feather and erosion, or raise padding and opacity, if you moved them.</source>
        <translation>如果调过羽化、内缩、外扩或不透明度：请调低羽化和内缩，或调高外扩和不透明度。</translation>
    </message>
    <message>
        <source>Lower the mask strength, or take what is before the face away.</source>
        <translation>请调低遮罩强度，或移开脸前的物体。</translation>
    </message>
</context>
<context>
    <name>Settings</name>
    <message>
        <source>Width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>Picture width asked of the camera.</source>
        <translation>向摄像头请求的画面宽度。</translation>
    </message>
    <message>
        <source>Capture</source>
        <translation>采集</translation>
    </message>
    <message>
        <source>px</source>
        <translation>像素</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>Picture height asked of the camera.</source>
        <translation>向摄像头请求的画面高度。</translation>
    </message>
    <message>
        <source>Frame rate</source>
        <translation>帧率</translation>
    </message>
    <message>
        <source>Frame rate asked of the camera.</source>
        <translation>向摄像头请求的帧率。</translation>
    </message>
    <message>
        <source>frames/s</source>
        <translation>帧/秒</translation>
    </message>
    <message>
        <source>Mirror</source>
        <translation>镜像</translation>
    </message>
    <message>
        <source>Flip the captured picture left to right, as a mirror shows it.</source>
        <translation>像照镜子一样左右翻转采集画面。</translation>
    </message>
    <message>
        <source>Rotation</source>
        <translation>旋转</translation>
    </message>
    <message>
        <source>Turn the captured picture clockwise, in degrees.</source>
        <translation>按角度顺时针旋转采集画面。</translation>
    </message>
    <message>
        <source>Open timeout</source>
        <translation>打开超时</translation>
    </message>
    <message>
        <source>How long a stream may take to answer.</source>
        <translation>等待流响应的最长时间。</translation>
    </message>
    <message>
        <source>s</source>
        <translation>秒</translation>
    </message>
    <message>
        <source>Read timeout</source>
        <translation>读取超时</translation>
    </message>
    <message>
        <source>How long a source may be silent before it counts as lost.</source>
        <translation>输入源多久没有画面就视为丢失。</translation>
    </message>
    <message>
        <source>Detector</source>
        <translation>检测器</translation>
    </message>
    <message>
        <source>Auto asks the full-range net, then the one for near faces, then the one for far ones.</source>
        <translation>自动：依次使用全程、近距和远距检测网络。</translation>
    </message>
    <message>
        <source>Detect</source>
        <translation>检测</translation>
    </message>
    <message>
        <source>Auto</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Near (BlazeFace)</source>
        <translation>近距(BlazeFace)</translation>
    </message>
    <message>
        <source>Full range (BlazeFace)</source>
        <translation>全程(BlazeFace)</translation>
    </message>
    <message>
        <source>Far (YuNet)</source>
        <translation>远距(YuNet)</translation>
    </message>
    <message>
        <source>Detection threshold</source>
        <translation>检测阈值</translation>
    </message>
    <message>
        <source>How sure the detector must be of a new face.</source>
        <translation>检测器对新出现的人脸需要有多确定。</translation>
    </message>
    <message>
        <source>Detect every</source>
        <translation>检测间隔</translation>
    </message>
    <message>
        <source>Look for faces every so many frames; above 1, a newcomer can be bare until then.</source>
        <translation>每隔多少帧检测一次人脸；大于 1 时，新来的人在此之前可能未被遮盖。</translation>
    </message>
    <message>
        <source>frames</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>Most faces</source>
        <translation>最多人脸</translation>
    </message>
    <message>
        <source>How many faces are followed at a time.</source>
        <translation>同时跟踪多少张人脸。</translation>
    </message>
    <message>
        <source>faces</source>
        <translation>张</translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation>平滑</translation>
    </message>
    <message>
        <source>Steadies a face at rest; a moving one is followed without delay.</source>
        <translation>静止时稳住人脸；移动时无延迟跟随。</translation>
    </message>
    <message>
        <source>Track</source>
        <translation>跟踪</translation>
    </message>
    <message>
        <source>Landmarker</source>
        <translation>特征点模型</translation>
    </message>
    <message>
        <source>Whose points nets are aligned by: the mesh, or a landmarker that you brought.</source>
        <translation>按谁的特征点对齐：网格，或您自带的特征点模型。</translation>
    </message>
    <message>
        <source>Lost after</source>
        <translation>丢失判定</translation>
    </message>
    <message>
        <source>How long a face that vanished is still expected back.</source>
        <translation>人脸消失后还等待多久。</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>毫秒</translation>
    </message>
    <message>
        <source>Refined mesh</source>
        <translation>细化网格</translation>
    </message>
    <message>
        <source>Follow lips and eyes more finely; without it faces are followed in half the time.</source>
        <translation>更精细地跟踪嘴唇和眼睛；关闭后跟踪人脸只需一半时间。</translation>
    </message>
    <message>
        <source>Recognise every</source>
        <translation>识别间隔</translation>
    </message>
    <message>
        <source>How often a face that is known already is shown to the recogniser again.</source>
        <translation>已认识的脸隔多久再给识别网络看一次。</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>替换对象</translation>
    </message>
    <message>
        <source>Swap</source>
        <translation>换脸</translation>
    </message>
    <message>
        <source>Largest face</source>
        <translation>最大的脸</translation>
    </message>
    <message>
        <source>Every face</source>
        <translation>所有的脸</translation>
    </message>
    <message>
        <source>Enhancer</source>
        <translation>增强模型</translation>
    </message>
    <message>
        <source>A net that you brought and that redraws the swap more finely; Enhance mixes it in.</source>
        <translation>您自带的模型，把换上的脸画得更细；由“增强”决定混入多少。</translation>
    </message>
    <message>
        <source>Show hands</source>
        <translation>显示手</translation>
    </message>
    <message>
        <source>Occlusion net</source>
        <translation>遮挡模型</translation>
    </message>
    <message>
        <source>A net that you brought; it shows what lies before the face: a hand, a microphone. Show hands rests then.</source>
        <translation>您自带的模型，让脸前的东西（手、话筒）显示出来；此时“显示手”不起作用。</translation>
    </message>
    <message>
        <source>Face parser</source>
        <translation>人脸分区模型</translation>
    </message>
    <message>
        <source>A net that you brought; it tells skin from hair and hats, and those stay yours.</source>
        <translation>您自带的模型，把皮肤与头发、帽子分开；头发和帽子保留您自己的。</translation>
    </message>
    <message>
        <source>Mask strength</source>
        <translation>遮罩强度</translation>
    </message>
    <message>
        <source>How much of what these nets see before the face is shown; where they take too much of it, the gate shuts.</source>
        <translation>这些模型看到的脸前之物显示多少；占脸太多时，安全闸会关闭。</translation>
    </message>
    <message>
        <source>Pictures per mask</source>
        <translation>每次遮罩用于几帧</translation>
    </message>
    <message>
        <source>For how many pictures an answer of these nets serves; it moves with the face.</source>
        <translation>这些网络的一次结果用于多少帧画面；遮罩随脸移动。</translation>
    </message>
    <message>
        <source>Largest crop</source>
        <translation>最大裁剪</translation>
    </message>
    <message>
        <source>Faces larger than this are computed smaller and scaled up: a limit for slow machines.</source>
        <translation>超过此尺寸的人脸先缩小计算再放大，适合较慢的电脑。</translation>
    </message>
    <message>
        <source>Likeness</source>
        <translation>相似度</translation>
    </message>
    <message>
        <source>For nets told by numbers: above the middle the face moves away from your own, below nearer.</source>
        <translation>适用于以特征向量描述人脸的模型：高于中间值时远离你本人的脸，低于时靠近。</translation>
    </message>
    <message>
        <source>Morph</source>
        <translation>变形程度</translation>
    </message>
    <message>
        <source>For models of one person that take it: how much of that person is painted, how little of you.</source>
        <translation>用于支持此参数的单人模型：画出多少那个人，保留多少你自己。</translation>
    </message>
    <message>
        <source>Pixel boost</source>
        <translation>像素增强</translation>
    </message>
    <message>
        <source>The net paints the face in 4, 9 or 16 interleaved parts, and as often costs its time.</source>
        <translation>模型将人脸分成 4、9 或 16 个交错的部分绘制，耗时也成同样倍数。</translation>
    </message>
    <message>
        <source>times</source>
        <translation>倍</translation>
    </message>
    <message>
        <source>Feather</source>
        <translation>羽化</translation>
    </message>
    <message>
        <source>Edge and mask</source>
        <translation>边缘与遮罩</translation>
    </message>
    <message>
        <source>of crop width</source>
        <translation>占裁剪宽度</translation>
    </message>
    <message>
        <source>Padding</source>
        <translation>外扩</translation>
    </message>
    <message>
        <source>Moves the edge outward.</source>
        <translation>把边缘向外移。</translation>
    </message>
    <message>
        <source>Erosion</source>
        <translation>内缩</translation>
    </message>
    <message>
        <source>Moves the edge inward; too much bares the rim of your face, and the gate shuts.</source>
        <translation>把边缘向内移；过大会露出脸部边缘，安全闸会关闭。</translation>
    </message>
    <message>
        <source>Keep eyes</source>
        <translation>保留眼睛</translation>
    </message>
    <message>
        <source>How much of your own eyes is seen.</source>
        <translation>保留多少自己的眼睛。</translation>
    </message>
    <message>
        <source>Keep mouth</source>
        <translation>保留嘴部</translation>
    </message>
    <message>
        <source>How much of your own teeth and tongue is seen.</source>
        <translation>保留多少自己的牙齿和舌头。</translation>
    </message>
    <message>
        <source>Keep brows</source>
        <translation>保留眉毛</translation>
    </message>
    <message>
        <source>How much of your own brows is seen.</source>
        <translation>保留多少自己的眉毛。</translation>
    </message>
    <message>
        <source>Keep glasses</source>
        <translation>保留眼镜</translation>
    </message>
    <message>
        <source>How much is seen of the dark frames of your glasses; 0 paints over them.</source>
        <translation>保留多少自己眼镜的深色镜框；为 0 时会被覆盖。</translation>
    </message>
    <message>
        <source>Opacity</source>
        <translation>不透明度</translation>
    </message>
    <message>
        <source>Face</source>
        <translation>面部</translation>
    </message>
    <message>
        <source>Match light</source>
        <translation>匹配光线</translation>
    </message>
    <message>
        <source>How closely the swap takes on the light and colour of the scene.</source>
        <translation>换脸与现场光线和颜色的贴合程度。</translation>
    </message>
    <message>
        <source>Highlights</source>
        <translation>高光</translation>
    </message>
    <message>
        <source>How much of the highlights on your skin lies on the swap, as far as light is matched.</source>
        <translation>自己皮肤上的高光有多少留在换脸上（随光线匹配的程度）。</translation>
    </message>
    <message>
        <source>Sharpness</source>
        <translation>锐度</translation>
    </message>
    <message>
        <source>Brings out fine detail of the swap.</source>
        <translation>突出换脸的细节。</translation>
    </message>
    <message>
        <source>Enhance</source>
        <translation>增强</translation>
    </message>
    <message>
        <source>Mixes in the enhancer&apos;s picture, where an enhancer is loaded.</source>
        <translation>加载增强器时，混入其结果。</translation>
    </message>
    <message>
        <source>Face scale</source>
        <translation>面部大小</translation>
    </message>
    <message>
        <source>Draws the swap larger or smaller; one too small for your face shuts the gate.</source>
        <translation>把换脸画大或画小；小到盖不住脸时安全闸会关闭。</translation>
    </message>
    <message>
        <source>Face shape</source>
        <translation>脸型</translation>
    </message>
    <message>
        <source>Bends jaw and cheeks toward the source&apos;s, and gently what is around them.</source>
        <translation>把下颌和脸颊弯向来源人脸的轮廓，周围柔和地随之移动。</translation>
    </message>
    <message>
        <source>Nets run on</source>
        <translation>模型运行于</translation>
    </message>
    <message>
        <source>Auto takes the first that really works, for nets that you brought; the window asks once.</source>
        <translation>“自动”为您自带的模型选用第一个真正可用的；窗口只在启动时询问一次。</translation>
    </message>
    <message>
        <source>Inference</source>
        <translation>推理</translation>
    </message>
    <message>
        <source>Tensorrt</source>
        <translation>TensorRT</translation>
    </message>
    <message>
        <source>Cuda</source>
        <translation>CUDA</translation>
    </message>
    <message>
        <source>Directml</source>
        <translation>DirectML</translation>
    </message>
    <message>
        <source>Coreml</source>
        <translation>CoreML</translation>
    </message>
    <message>
        <source>Openvino</source>
        <translation>OpenVINO</translation>
    </message>
    <message>
        <source>Server for nets</source>
        <translation>推理服务器</translation>
    </message>
    <message>
        <source>Runs nets that you brought (Open Inference Protocol); pictures of faces go there. The window asks once.</source>
        <translation>运行您自带的网络（开放推理协议）；人脸图像会发送到那里。窗口只在启动时读取一次。</translation>
    </message>
    <message>
        <source>What the server runs</source>
        <translation>由服务器运行</translation>
    </message>
    <message>
        <source>Which nets run there, under the names of their cards; the others run here.</source>
        <translation>哪些网络在服务器上以其卡片名称运行；其余的在本机运行。</translation>
    </message>
    <message>
        <source>Server&apos;s time</source>
        <translation>服务器时限</translation>
    </message>
    <message>
        <source>How long the server may take for one run of a net; then the picture counts as failed.</source>
        <translation>服务器运行一次网络的最长时间；超过后该画面视为失败。</translation>
    </message>
    <message>
        <source>Server&apos;s authority</source>
        <translation>服务器证书颁发机构</translation>
    </message>
    <message>
        <source>Who vouches for the server; for one of your own, its authority&apos;s certificate.</source>
        <translation>由谁为服务器担保；对于您自己的服务器，请给出其颁发机构的证书。</translation>
    </message>
    <message>
        <source>Reason for no encryption</source>
        <translation>不加密的理由</translation>
    </message>
    <message>
        <source>Why grpc:// may be used to another machine. Without one it is refused.</source>
        <translation>为何可以对其他机器使用 grpc://。没有理由则拒绝。</translation>
    </message>
    <message>
        <source>Governor</source>
        <translation>调节器</translation>
    </message>
    <message>
        <source>Compute less, step by step, while the machine does not keep up; it comes back by itself.</source>
        <translation>机器跟不上时逐级减少计算，之后自动恢复。</translation>
    </message>
    <message>
        <source>What a picture may cost</source>
        <translation>画面的预算</translation>
    </message>
    <message>
        <source>Frames wanted</source>
        <translation>所需帧数</translation>
    </message>
    <message>
        <source>How many of the frames that come in must be swapped; 0 wants all of them.</source>
        <translation>输入的帧中每秒有多少必须换脸；0 表示全部。</translation>
    </message>
    <message>
        <source>Oldest picture</source>
        <translation>画面最长延迟</translation>
    </message>
    <message>
        <source>How old pictures may be when they go out, but for one in twenty; 0 sets no limit.</source>
        <translation>画面输出时最多可以有多旧（二十帧中可有一帧例外）；0 表示不限。</translation>
    </message>
    <message>
        <source>Processor share</source>
        <translation>处理器份额</translation>
    </message>
    <message>
        <source>How much of all processors the program may take; 1 sets no limit.</source>
        <translation>程序可占用全部处理器的多少；1 表示不限。</translation>
    </message>
    <message>
        <source>Graphics memory left</source>
        <translation>保留显存</translation>
    </message>
    <message>
        <source>How much memory of the graphics card must stay free; 0 sets no limit.</source>
        <translation>显卡必须保留多少空闲内存；0 表示不限。</translation>
    </message>
    <message>
        <source>Composed by</source>
        <translation>合成方式</translation>
    </message>
    <message>
        <source>Auto measures graphics device and processor at the start, and takes the faster one.</source>
        <translation>自动：启动时测量显卡与处理器，采用较快者。</translation>
    </message>
    <message>
        <source>Gl</source>
        <translation>OpenGL</translation>
    </message>
    <message>
        <source>Cpu</source>
        <translation>处理器</translation>
    </message>
    <message>
        <source>How much is seen of a hand before your face; 0 paints over it. Beside it some of your skin may show.</source>
        <translation>脸前的手显示多少；0 表示用换脸画面盖住。手旁可能露出您自己的少许皮肤。</translation>
    </message>
    <message>
        <source>Hold</source>
        <translation>保持时间</translation>
    </message>
    <message>
        <source>How long the last good picture is shown before the slate.</source>
        <translation>显示遮挡画面之前，最后一幅合格画面保持多久。</translation>
    </message>
    <message>
        <source>Gate</source>
        <translation>安全闸</translation>
    </message>
    <message>
        <source>Slate</source>
        <translation>遮挡画面</translation>
    </message>
    <message>
        <source>What is shown instead: a picture, or the camera pixelated beyond recognition.</source>
        <translation>改为显示什么：一张图片，或无法辨认的马赛克。</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图片</translation>
    </message>
    <message>
        <source>Pixelate</source>
        <translation>马赛克</translation>
    </message>
    <message>
        <source>Slate picture</source>
        <translation>遮挡图片</translation>
    </message>
    <message>
        <source>The picture shown as slate.</source>
        <translation>用作遮挡画面的图片。</translation>
    </message>
    <message>
        <source>Bystanders</source>
        <translation>旁人</translation>
    </message>
    <message>
        <source>What happens to faces that are not replaced.</source>
        <translation>如何处理没有替换的人脸。</translation>
    </message>
    <message>
        <source>degrees</source>
        <translation>度</translation>
    </message>
    <message>
        <source>Turned away</source>
        <translation>转头过大</translation>
    </message>
    <message>
        <source>Faces turned further to a side than this fade to what is done with bystanders, or are blurred: a profile cannot be drawn well. Full profiles count as about 60 degrees. 90: never.</source>
        <translation>侧转超过此角度的脸会逐渐变为旁人的处理方式，或被模糊：侧脸无法画好。完全侧脸约为 60 度。90：从不。</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>Blur</source>
        <translation>模糊</translation>
    </message>
    <message>
        <source>Cover</source>
        <translation>遮盖</translation>
    </message>
    <message>
        <source>Label</source>
        <translation>标识</translation>
    </message>
    <message>
        <source>Show the label in every outgoing picture. Off asks for a reason.</source>
        <translation>在每个输出画面中显示标识。关闭时须说明理由。</translation>
    </message>
    <message>
        <source>Invisible mark</source>
        <translation>隐形标记</translation>
    </message>
    <message>
        <source>Hide a mark in every outgoing picture that programs can read. Off asks for a reason.</source>
        <translation>在每个输出画面中嵌入程序可读的隐形标记。关闭时须说明理由。</translation>
    </message>
    <message>
        <source>Reason</source>
        <translation>理由</translation>
    </message>
    <message>
        <source>Why label or mark are off. Without one they stay on.</source>
        <translation>为何关闭标识或标记。没有理由则保持开启。</translation>
    </message>
    <message>
        <source>Label language</source>
        <translation>标识语言</translation>
    </message>
    <message>
        <source>In which language the label speaks.</source>
        <translation>标识使用的语言。</translation>
    </message>
    <message>
        <source>Both</source>
        <translation>两种</translation>
    </message>
    <message>
        <source>En</source>
        <translation>英文</translation>
    </message>
    <message>
        <source>Zh</source>
        <translation>中文</translation>
    </message>
    <message>
        <source>Label text</source>
        <translation>标识文字</translation>
    </message>
    <message>
        <source>Your own words; they must say that AI synthesised the picture.</source>
        <translation>您自己的文字；须说明画面由 AI 生成合成。</translation>
    </message>
    <message>
        <source>Label place</source>
        <translation>标识位置</translation>
    </message>
    <message>
        <source>The corner where the label stands.</source>
        <translation>标识所在的角落。</translation>
    </message>
    <message>
        <source>Top right</source>
        <translation>右上</translation>
    </message>
    <message>
        <source>Top left</source>
        <translation>左上</translation>
    </message>
    <message>
        <source>Bottom right</source>
        <translation>右下</translation>
    </message>
    <message>
        <source>Bottom left</source>
        <translation>左下</translation>
    </message>
    <message>
        <source>Label height</source>
        <translation>标识高度</translation>
    </message>
    <message>
        <source>How high its letters are.</source>
        <translation>文字的高度。</translation>
    </message>
    <message>
        <source>of the shorter side</source>
        <translation>（占短边）</translation>
    </message>
    <message>
        <source>Second person</source>
        <translation>第二人</translation>
    </message>
    <message>
        <source>Each consent must be confirmed with the operator&apos;s code before the face is used.</source>
        <translation>使用面孔之前，每份同意须以管理员验证码确认。</translation>
    </message>
    <message>
        <source>Consent</source>
        <translation>同意</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>质量</translation>
    </message>
    <message>
        <source>Constant rate factor of H.264: smaller is better and larger on disk.</source>
        <translation>H.264 恒定质量系数：越小画质越好，文件越大。</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>录制</translation>
    </message>
    <message>
        <source>crf</source>
        <translation>crf</translation>
    </message>
    <message>
        <source>Encoder preset</source>
        <translation>编码预设</translation>
    </message>
    <message>
        <source>Faster presets spare the processor and make larger files.</source>
        <translation>越快越省处理器，文件也越大。</translation>
    </message>
    <message>
        <source>Ultra fast</source>
        <translation>极快</translation>
    </message>
    <message>
        <source>Super fast</source>
        <translation>超快</translation>
    </message>
    <message>
        <source>Very fast</source>
        <translation>很快</translation>
    </message>
    <message>
        <source>Quick Sync</source>
        <translation>Quick Sync</translation>
    </message>
    <message>
        <source>VideoToolbox</source>
        <translation>VideoToolbox</translation>
    </message>
    <message>
        <source>Faster</source>
        <translation>较快</translation>
    </message>
    <message>
        <source>Picture after</source>
        <translation>视为照片</translation>
    </message>
    <message>
        <source>A face that never moved for so long is a picture, if another one lives; 0 looks for none.</source>
        <translation>画面中另有活动的脸时，这么久一直不动的脸视为照片；0 表示不判断。</translation>
    </message>
    <message>
        <source>Recogniser</source>
        <translation>识别模型</translation>
    </message>
    <message>
        <source>Which net knows people; auto takes ArcFace where you brought it, else the built-in one.</source>
        <translation>用哪个模型认人；自动：有您导入的 ArcFace 就用它，否则用内置模型。</translation>
    </message>
    <message>
        <source>The largest face, every face in the picture, or only those of the people enrolled.</source>
        <translation>最大的脸、画面中的每张脸，或仅已登记的人的脸。</translation>
    </message>
    <message>
        <source>People enrolled</source>
        <translation>已登记的人</translation>
    </message>
    <message>
        <source>Own faces</source>
        <translation>专用脸</translation>
    </message>
    <message>
        <source>Which face people enrolled get, by their names; the others get the one chosen.</source>
        <translation>按名称指定已登记的人使用哪张脸；其他人使用所选的脸。</translation>
    </message>
    <message>
        <source>How wide the soft edge is; above about .1 it needs padding, or the gate shuts.</source>
        <translation>柔和边缘的宽度；超过约 0.1 时需要外扩，否则安全闸会关闭。</translation>
    </message>
    <message>
        <source>Mixes the swap with the camera&apos;s picture; below about .92 your own face shows through: the gate shuts.</source>
        <translation>将换脸与摄像头画面混合；低于约 0.92 时会透出您自己的脸，安全闸随之关闭。</translation>
    </message>
    <message>
        <source>What composes</source>
        <translation>由谁合成</translation>
    </message>
    <message>
        <source>A live picture that a hiccup made older than this is left out, as long as pictures are on time as a rule. 0: never.</source>
        <translation>直播中因短暂卡顿而延迟超过此值的画面会被略去，前提是画面平时都准时。0：从不略去。</translation>
    </message>
    <message>
        <source>Nudity check</source>
        <translation>裸露检查</translation>
    </message>
    <message>
        <source>Show the slate while a net takes the scene for nude. Off asks for a reason.</source>
        <translation>网络判断画面裸露时显示遮挡画面。关闭时须说明理由。</translation>
    </message>
    <message>
        <source>What scenes show</source>
        <translation>画面内容</translation>
    </message>
    <message>
        <source>Reason for no check</source>
        <translation>不检查的理由</translation>
    </message>
    <message>
        <source>Why the nudity check is off. Without one it stays on.</source>
        <translation>为何关闭裸露检查。没有理由则保持开启。</translation>
    </message>
    <message>
        <source>Nudity threshold</source>
        <translation>裸露阈值</translation>
    </message>
    <message>
        <source>How sure the net must be; lower is stricter.</source>
        <translation>网络须有多大把握；越低越严格。</translation>
    </message>
    <message>
        <source>Calm for</source>
        <translation>恢复等待</translation>
    </message>
    <message>
        <source>How long a scene must be harmless again before it is shown.</source>
        <translation>画面须恢复无害多久才重新显示。</translation>
    </message>
    <message>
        <source>Fast</source>
        <translation>快</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>中等</translation>
    </message>
    <message>
        <source>New file every</source>
        <translation>分段时长</translation>
    </message>
    <message>
        <source>Begin a new file after so many minutes; 0 keeps one file.</source>
        <translation>每隔多少分钟新建文件；0 表示不分段。</translation>
    </message>
    <message>
        <source>min</source>
        <translation>分钟</translation>
    </message>
    <message>
        <source>New file at</source>
        <translation>分段大小</translation>
    </message>
    <message>
        <source>Begin a new file when one has reached this size; 0 keeps one file.</source>
        <translation>文件达到此大小时新建；0 表示不分段。</translation>
    </message>
    <message>
        <source>MiB</source>
        <translation>MiB</translation>
    </message>
    <message>
        <source>Keep free</source>
        <translation>保留空间</translation>
    </message>
    <message>
        <source>End the recording in good order when the disk has no more than this left.</source>
        <translation>磁盘剩余空间降到此值时，正常结束录制。</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>声音</translation>
    </message>
    <message>
        <source>Auto is the sound of the input file, and in streams silence where it has none; the microphone is opened only when asked for.</source>
        <translation>自动：使用输入文件的声音；推流时没有声音则为静音。只有明确选择时才会打开麦克风。</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>麦克风</translation>
    </message>
    <message>
        <source>Silence</source>
        <translation>静音</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Which microphone is taken.</source>
        <translation>使用哪个麦克风。</translation>
    </message>
    <message>
        <source>Sound offset</source>
        <translation>声音偏移</translation>
    </message>
    <message>
        <source>Moves the sound against the picture; above 0 it is heard later.</source>
        <translation>声音相对画面的偏移；大于 0 表示声音推后。</translation>
    </message>
    <message>
        <source>Stream encoder</source>
        <translation>推流编码器</translation>
    </message>
    <message>
        <source>Auto takes the first graphics card&apos;s encoder that really works here, else x264.</source>
        <translation>自动：使用本机第一个真正可用的显卡编码器，否则使用 x264。</translation>
    </message>
    <message>
        <source>Stream</source>
        <translation>推流</translation>
    </message>
    <message>
        <source>Stream bit rate</source>
        <translation>推流码率</translation>
    </message>
    <message>
        <source>What the line must carry; servers say how much they take.</source>
        <translation>线路需要承受的码率；以服务器要求为准。</translation>
    </message>
    <message>
        <source>kbit/s</source>
        <translation>kbit/s</translation>
    </message>
    <message>
        <source>Key frame every</source>
        <translation>关键帧间隔</translation>
    </message>
    <message>
        <source>How long newcomers wait for a picture; servers ask for 2.</source>
        <translation>新观众等待画面的时间；服务器通常要求 2 秒。</translation>
    </message>
    <message>
        <source>Stream preset</source>
        <translation>推流预设</translation>
    </message>
    <message>
        <source>For x264: slower presets look better at the same bit rate.</source>
        <translation>用于 x264：同码率下越慢画质越好。</translation>
    </message>
    <message>
        <source>Sound bit rate</source>
        <translation>声音码率</translation>
    </message>
    <message>
        <source>Of the sound in streams.</source>
        <translation>推流中声音的码率。</translation>
    </message>
    <message>
        <source>Server timeout</source>
        <translation>服务器超时</translation>
    </message>
    <message>
        <source>How long a server may take to answer, and to take a picture.</source>
        <translation>服务器响应和接收画面的最长时间。</translation>
    </message>
    <message>
        <source>Trusted authorities</source>
        <translation>受信任的证书颁发机构</translation>
    </message>
    <message>
        <source>Who vouches for servers that speak TLS; for a server of your own, the certificate of its authority.</source>
        <translation>由谁为使用 TLS 的服务器担保；对于您自己的服务器，请给出其颁发机构的证书。</translation>
    </message>
    <message>
        <source>Camera name</source>
        <translation>摄像头名称</translation>
    </message>
    <message>
        <source>What conference programs list.</source>
        <translation>会议软件列表中显示的名称。</translation>
    </message>
    <message>
        <source>Virtual camera</source>
        <translation>虚拟摄像头</translation>
    </message>
    <message>
        <source>Camera size</source>
        <translation>画面尺寸</translation>
    </message>
    <message>
        <source>Pictures of another shape get black bars; input takes the size that comes in.</source>
        <translation>比例不同的画面会加黑边；选“与输入相同”则沿用输入的尺寸。</translation>
    </message>
    <message>
        <source>Input</source>
        <translation>与输入相同</translation>
    </message>
    <message>
        <source>Camera rate</source>
        <translation>帧率</translation>
    </message>
    <message>
        <source>Most pictures per second that conference programs get; input takes what comes in.</source>
        <translation>会议软件每秒最多得到的画面数；选“与输入相同”则沿用输入的帧率。</translation>
    </message>
    <message>
        <source>Camera format</source>
        <translation>像素格式</translation>
    </message>
    <message>
        <source>The pixel format offered first; programs may choose one of the others.</source>
        <translation>首先提供的像素格式；其他程序也可以选用别的格式。</translation>
    </message>
    <message>
        <source>Keep for</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>Older rows go into an archive when a session starts; 0 keeps all at hand.</source>
        <translation>更早的记录在会话开始时移入归档；0 表示全部留在手边。</translation>
    </message>
    <message>
        <source>How long rows are kept</source>
        <translation>记录保留多久</translation>
    </message>
    <message>
        <source>days</source>
        <translation>天</translation>
    </message>
    <message>
        <source>Acts on the next picture.</source>
        <translation>下一幅画面起生效。</translation>
    </message>
    <message>
        <source>Acts from the next frame.</source>
        <translation>下一帧起生效。</translation>
    </message>
    <message>
        <source>Acts from the next start.</source>
        <translation>下次开始时生效。</translation>
    </message>
    <message>
        <source>on</source>
        <translation>开</translation>
    </message>
    <message>
        <source>off</source>
        <translation>关</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
</context>
<context>
    <name>SourcesPanel</name>
    <message>
        <source>Built-in faces</source>
        <translation>内置人脸</translation>
    </message>
    <message>
        <source>Your people</source>
        <translation>你的人物</translation>
    </message>
    <message>
        <source>Known faces in the picture</source>
        <translation>画面中认识的脸</translation>
    </message>
    <message>
        <source>Drop photos or a folder here</source>
        <translation>把照片或文件夹拖到这里</translation>
    </message>
    <message>
        <source>Add photos…</source>
        <translation>添加照片…</translation>
    </message>
    <message>
        <source>The photo was not added</source>
        <translation>照片未能添加</translation>
    </message>
    <message>
        <source>None of the {count} photos was added</source>
        <translation>{count} 张照片均未能添加</translation>
    </message>
    <message>
        <source>One of {count} photos was not added</source>
        <translation>{count} 张照片中有 1 张未能添加</translation>
    </message>
    <message>
        <source>Approve a consent</source>
        <translation>批准同意</translation>
    </message>
    <message>
        <source>May the face of {name} be used?</source>
        <translation>可以使用 {name} 的面孔吗？</translation>
    </message>
    <message>
        <source>Add photos</source>
        <translation>添加照片</translation>
    </message>
    <message>
        <source>Looking at the photos…</source>
        <translation>正在查看照片…</translation>
    </message>
    <message>
        <source>{refused} of {count} photos were not added</source>
        <translation>{count} 张照片中有 {refused} 张未能添加</translation>
    </message>
    <message>
        <source>Photos added: {count}</source>
        <translation>已添加照片：{count}</translation>
    </message>
</context>
<context>
    <name>StageTable</name>
    <message>
        <source>Milliseconds</source>
        <translation>毫秒</translation>
    </message>
</context>
<context>
    <name>Stages</name>
    <message>
        <source>Capture to output</source>
        <translation>采集到输出</translation>
    </message>
    <message>
        <source>Capture to picture, left out ones too</source>
        <translation>采集到成图（含被略过的）</translation>
    </message>
    <message>
        <source>Waiting for inference</source>
        <translation>等待推理</translation>
    </message>
    <message>
        <source>Inference, all of it</source>
        <translation>推理总计</translation>
    </message>
    <message>
        <source>Look at the scene</source>
        <translation>检查画面</translation>
    </message>
    <message>
        <source>Follow faces</source>
        <translation>跟踪人脸</translation>
    </message>
    <message>
        <source>Look for faces</source>
        <translation>寻找人脸</translation>
    </message>
    <message>
        <source>Find faces</source>
        <translation>查找人脸</translation>
    </message>
    <message>
        <source>Choose faces</source>
        <translation>选择人脸</translation>
    </message>
    <message>
        <source>Look for hands</source>
        <translation>寻找手</translation>
    </message>
    <message>
        <source>Check that meshes lie on faces</source>
        <translation>检查网格是否在人脸上</translation>
    </message>
    <message>
        <source>Check that faces are still the same</source>
        <translation>检查人脸是否仍是同一张</translation>
    </message>
    <message>
        <source>Recognise</source>
        <translation>识别</translation>
    </message>
    <message>
        <source>Swap</source>
        <translation>换脸</translation>
    </message>
    <message>
        <source>Waiting for the server</source>
        <translation>等待服务器</translation>
    </message>
    <message>
        <source>Compose</source>
        <translation>合成</translation>
    </message>
</context>
<context>
    <name>StatePlate</name>
    <message>
        <source>LIVE</source>
        <translation>直播</translation>
    </message>
    <message>
        <source>HOLD</source>
        <translation>定格</translation>
    </message>
    <message>
        <source>SLATE</source>
        <translation>遮挡</translation>
    </message>
    <message>
        <source>PASS</source>
        <translation>直通</translation>
    </message>
    <message>
        <source>OFF AIR</source>
        <translation>未播出</translation>
    </message>
    <message>
        <source>STARTING</source>
        <translation>启动中</translation>
    </message>
    <message>
        <source>STOPPING</source>
        <translation>停止中</translation>
    </message>
</context>
<context>
    <name>TextEditor</name>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Choose a file…</source>
        <translation>选择文件…</translation>
    </message>
</context>
<context>
    <name>Verdicts</name>
    <message>
        <source>Rows checked: {count}</source>
        <translation>已检查记录：{count}</translation>
    </message>
    <message>
        <source>Log {id}</source>
        <translation>日志 {id}</translation>
    </message>
    <message>
        <source>And {count} more.</source>
        <translation>另有 {count} 项。</translation>
    </message>
    <message>
        <source>The record is intact</source>
        <translation>记录完好</translation>
    </message>
    <message>
        <source>The record was tampered with</source>
        <translation>记录被篡改</translation>
    </message>
    <message>
        <source>The record was cut short or set back</source>
        <translation>记录被截断或回退</translation>
    </message>
    <message>
        <source>Whether the record is whole cannot be told</source>
        <translation>无法判断记录是否完整</translation>
    </message>
</context>
<context>
    <name>Viewport</name>
    <message>
        <source>No picture yet</source>
        <translation>还没有画面</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>换脸前</translation>
    </message>
    <message>
        <source>After</source>
        <translation>换脸后</translation>
    </message>
    <message>
        <source>Frozen</source>
        <translation>已冻结</translation>
    </message>
    <message>
        <source>{} frames/s</source>
        <translation>{} 帧/秒</translation>
    </message>
    <message>
        <source>{} ms</source>
        <translation>{} 毫秒</translation>
    </message>
    <message>
        <source>{} dropped</source>
        <translation>丢帧 {}</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>画面</translation>
    </message>
    <message>
        <source>What goes out. Arrows pan, plus and minus zoom, Home shows all.</source>
        <translation>输出的画面。方向键平移，加减号缩放，Home 显示全部。</translation>
    </message>
</context>
<context>
    <name>Welcome</name>
    <message>
        <source>Demo clip</source>
        <translation>演示短片</translation>
    </message>
    <message>
        <source>Who do you want to be?</source>
        <translation>你想成为谁？</translation>
    </message>
    <message>
        <source>The built-in faces are nobody&apos;s likeness. Photos of your own can be dropped here, too.</source>
        <translation>内置人脸不是任何真人的肖像。也可以把自己的照片拖到这里。</translation>
    </message>
    <message>
        <source>Your picture comes from</source>
        <translation>画面来自</translation>
    </message>
    <message>
        <source>Camera or clip</source>
        <translation>摄像头或短片</translation>
    </message>
    <message>
        <source>Add photos of your own…</source>
        <translation>添加自己的照片…</translation>
    </message>
    <message>
        <source>All faces…</source>
        <translation>全部人脸…</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>开始</translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message>
        <source>&quot;{name}&quot;</source>
        <translation>“{name}”</translation>
    </message>
</context>
<context>
    <name>WrittenConsent</name>
    <message>
        <source>The signed document</source>
        <translation>已签署的文件</translation>
    </message>
    <message>
        <source>Name of the person</source>
        <translation>本人姓名</translation>
    </message>
    <message>
        <source>Choose the document …</source>
        <translation>选择文件…</translation>
    </message>
    <message>
        <source>It stays where it is; its SHA-256 is kept.</source>
        <translation>文件留在原处；只保存其 SHA-256。</translation>
    </message>
    <message>
        <source>Last day on which it holds</source>
        <translation>有效的最后一天</translation>
    </message>
</context>
<context>
    <name>_Destination</name>
    <message>
        <source>readers: {count}</source>
        <translation>读取程序：{count}</translation>
    </message>
    <message>
        <source>Opening</source>
        <translation>正在打开</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>运行中</translation>
    </message>
    <message>
        <source>Connecting again</source>
        <translation>正在重连</translation>
    </message>
    <message>
        <source>Resting</source>
        <translation>待机</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Closed</source>
        <translation>已关闭</translation>
    </message>
    <message>
        <source>End {output}</source>
        <translation>结束 {output}</translation>
    </message>
</context>
</TS>

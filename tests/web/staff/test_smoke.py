def test_smoke(staff, send, stored):
    ref = send()
    c = staff("coordinator", "head")
    for path in ("/staff/", "/staff/inquiries", f"/staff/inquiries/{ref}", "/staff/outbox"):
        r = c.get(path)
        assert r.status_code == 200, (path, r.text[:3000])
    for page in "ask route refer decline set-aside merge own expedite conflict note letter renew-link withdraw".split():
        r = c.get(f"/staff/inquiries/{ref}/{page}")
        assert r.status_code == 200, (page, r.text[:3000])
